import Chat
import HTTPFront
import JSON

extension Route {
    /// The models, a page at a time.
    static let models = Route("GET", "/v1/models") { api, request throws(APIError) in
        let page = try ModelPage(request.head.query)
        return .json(try page.cut(api.models))
    }

    static let model = Route("GET", "/v1/models/{id}") { api, request throws(APIError) in
        guard let model = request.parameters.first.flatMap(api.model) else {
            throw .notFound("there is no model of this name; see /v1/models")
        }
        return .json(model.json)
    }
}

/// A model as it is listed.
struct ListedModel: Sendable {
    var id: String
    var displayName: String
    var createdAt: String
    var contextLength: Int
    var thinks: Bool

    /// The same model under another name.
    func named(_ name: String) -> ListedModel {
        var model = self
        model.id = name
        model.displayName = "\(displayName) (the same model as \(id))"
        return model
    }

    var json: JSONValue {
        [
            "type": "model", "id": .string(id), "display_name": .string(displayName),
            "created_at": .string(createdAt), "lifecycle": "active", "max_input_tokens": .integer(contextLength),
            "max_tokens": .integer(contextLength), "capabilities": capabilities,
        ]
    }

    /// What the model can do, by the API's names; nothing of what only the API's own servers have.
    private var capabilities: JSONValue {
        func supported(_ isSupported: Bool) -> JSONValue { ["supported": .bool(isSupported)] }
        let (yes, no, thinking) = (supported(true), supported(false), supported(thinks))
        return [
            "batch": no, "citations": no, "code_execution": no, "context_management": no,
            "effort": [
                "supported": .bool(thinks), "low": thinking, "medium": thinking, "high": thinking, "xhigh": thinking,
                "max": thinking,
            ], "image_input": no, "pdf_input": no,
            "server_tools": ["supported": false, "code_execution": no, "web_search": no], "structured_outputs": yes,
            "thinking": [
                "supported": .bool(thinks),
                "types": ["adaptive": thinking, "between_tools": yes, "disabled": yes, "enabled": thinking],
            ],
        ]
    }
}

extension MessagesAPI {
    /// Claude Code's model picker shows only names that begin like this.
    private static let alias = "claude-local"

    /// The one model that there is, under its own name and under an alias that clients offer.
    fileprivate var models: [ListedModel] {
        let own = ListedModel(
            id: model.id,
            displayName: model.displayName,
            createdAt: model.createdAt,
            contextLength: contextLength,
            thinks: model.chatFormat.syntax.thinking != nil
        )
        return own.id == MessagesAPI.alias ? [own] : [own, own.named(MessagesAPI.alias)]
    }

    /// The model that a name stands for: as in a request for an answer, the one that there is, whatever it is called.
    fileprivate func model(_ name: String) -> ListedModel? {
        guard let own = models.first, MessagesRequest.isModelName(name) else { return nil }
        return name == own.id ? own : own.named(name)
    }
}

/// Which part of the list is asked for.
struct ModelPage {
    private var limit = 20
    private var after: String?
    private var before: String?

    init(_ query: String?) throws(APIError) {
        let parameters = PercentCoding.parameters(query)
        if let text = parameters["limit"] {
            guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text),
                (1...1000).contains(number)
            else { throw .invalidRequest("limit: Input should be an integer from 1 to 1000") }
            limit = number
        }
        after = parameters["after_id"].flatMap { $0.isEmpty ? nil : $0 }
        before = parameters["before_id"].flatMap { $0.isEmpty ? nil : $0 }
        guard after == nil || before == nil else {
            throw .invalidRequest("before_id: only one of after_id and before_id may be given")
        }
    }

    func cut(_ models: [ListedModel]) throws(APIError) -> JSONValue {
        func index(_ id: String, _ field: String) throws(APIError) -> Int {
            guard let index = models.firstIndex(where: { $0.id == id }) else {
                throw .invalidRequest("\(field): there is no model of this name")
            }
            return index
        }
        let page: ArraySlice<ListedModel>
        let hasMore: Bool
        if let before {
            let end = try index(before, "before_id")
            page = models[..<end].suffix(limit)
            hasMore = page.count < end
        } else {
            let rest = models[(try after.map { (id) throws(APIError) in try index(id, "after_id") + 1 } ?? 0)...]
            page = rest.prefix(limit)
            hasMore = page.count < rest.count
        }
        return [
            "data": .array(page.map(\.json)), "has_more": .bool(hasMore), "first_id": .optional(page.first?.id),
            "last_id": .optional(page.last?.id),
        ]
    }
}
