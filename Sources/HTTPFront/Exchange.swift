/// The answer to one request: lets the handler make it, and cancels this when the client goes away meanwhile.
struct Exchange {
    private enum Event {
        case answered(Response, ResponseSender.Delivery)
        case clientLeft
        case stoppedWatching
    }

    let socket: Socket
    let head: RequestHead
    let responses: ResponseSender

    /// - Returns: the response for logs, its status 499 if it did not reach the client, and what comes of the connection.
    func run(
        _ request: any AcceptedRequest,
        body: [UInt8],
        keepsAlive: Bool
    ) async -> (response: Response, delivery: ResponseSender.Delivery) {
        let watch = ClientWatch(socket, request: head)
        var outcome = (response: Response(status: 499), delivery: ResponseSender.Delivery.failed)
        await withTaskGroup(of: Event.self) { [head, responses] group in
            group.addTask {
                let response = await request.respond(with: body)
                let delivery = await responses.send(
                    response,
                    after: watch.beginAnswer(),
                    to: head,
                    keepsAlive: keepsAlive
                )
                return .answered(response, delivery)
            }
            group.addTask { await watch.waitUntilGone() ? .clientLeft : .stoppedWatching }
            var clientLeft = false
            for await event in group {
                switch event {
                case .answered(var response, let delivery):
                    if delivery == .failed { response.status = 499 }
                    // What was delivered counts, whoever is seen first: a client may close as soon as it has the whole
                    // response. There will be no further request then.
                    let isLast = clientLeft && delivery == .keepsConnection
                    outcome = (response, isLast ? .lastOfConnection : delivery)
                    group.cancelAll()
                case .clientLeft:
                    clientLeft = true
                    group.cancelAll()
                case .stoppedWatching: break
                }
            }
        }
        return outcome
    }
}
