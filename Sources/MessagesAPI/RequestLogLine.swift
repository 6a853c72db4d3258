import Foundation
import HTTPFront
import JSON

extension LogLine {
    /// The line of a request. Of what a client sent it repeats the method, the path and the model's name, cut, and
    /// with anything blotted out that is a key.
    init(_ request: FinishedRequest, keys: KeyRing) {
        let facts = (request.record as? RequestRecord)?.facts ?? RequestRecord.Facts()
        let head = request.head
        func own(_ text: String?) -> JSONValue {
            guard let text, let head else { return .null }
            return .string(LogLine.clean(keys.blotting(head.headers, out: text, upTo: LogLine.maxBytes)))
        }
        self.init([
            ("time", .string(LogLine.time(.now))),
            ("status", .integer(request.status)),
            ("method", own(head?.method)),
            ("path", own(head?.path)),
            ("client", .string(facts.keyName ?? request.peer)),
            ("peer", .string(request.peer)),
            ("model", own(facts.model)),
            ("prompt_tokens", .optional(facts.promptTokens)),
            ("cached_tokens", .optional(facts.cachedTokens)),
            ("output_tokens", .optional(facts.outputTokens)),
            ("first_token_ms", .optional(facts.firstTokenAt.map { ($0 - request.started) / .milliseconds(1) })),
            ("duration_ms", .optional(request.seconds * 1000)),
            ("request_id", .string(request.requestID)),
            ("error", .optional(facts.error?.kind.rawValue)),
            ("reason", .optional(facts.error?.logMessage)),
        ])
    }
}

extension JSONValue {
    fileprivate static func optional(_ number: Int?) -> JSONValue { number.map(JSONValue.integer) ?? .null }

    /// To a tenth.
    fileprivate static func optional(_ number: Double?) -> JSONValue {
        number.map { .double(($0 * 10).rounded() / 10) } ?? .null
    }
}
