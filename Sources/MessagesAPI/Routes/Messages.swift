import HTTPFront

extension Route {
    /// One answer, whole or as a stream of events.
    static let messages = Route("POST", "/v1/messages") { api, request throws(APIError) in
        let prepared = try await api.prepare(request, for: .generate)
        let reader = try await api.submit(prepared, of: request)
        let (messageID, model) = (RandomID.make("msg_"), prepared.message.model)
        guard prepared.wantsStream(request.head) else {
            return try await WholeAnswer(messageID: messageID, model: model).read(reader)
        }
        let pingInterval = api.configuration.pingInterval
        // A session that ends before it runs still gets a status. No client waits long for the head, though: clients give up
        // on servers that say nothing.
        try await reader.waitForStart(atMost: min(pingInterval, .seconds(5)))
        let encoder = EventEncoder(messageID: messageID, model: model, requestID: request.head.requestID)
        return MessageStream(reader: reader, encoder: encoder, pingInterval: pingInterval).response
    }
}
