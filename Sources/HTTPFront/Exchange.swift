/// The answer to one request: lets the handler make it, and cancels that when the client goes away meanwhile.
struct Exchange {
    private enum Event {
        case answered(status: Int, ResponseSender.Delivery)
        case clientLeft
        case stoppedWatching
    }

    let socket: Socket
    let handler: any RequestHandler
    let responses: ResponseSender

    /// - Returns: the status for logs, 499 if the answer did not reach the client, and what comes of the connection.
    func run(_ request: Request, keepsAlive: Bool) async -> (status: Int, delivery: ResponseSender.Delivery) {
        let watch = ClientWatch(socket, request: request.head)
        var outcome = (status: 499, delivery: ResponseSender.Delivery.failed)
        await withTaskGroup(of: Event.self) { [handler, responses] group in
            group.addTask {
                let response = await handler.respond(to: request)
                let delivery = await responses.send(
                    response,
                    after: watch.beginAnswer(),
                    to: request.head,
                    keepsAlive: keepsAlive
                )
                return .answered(status: response.status, delivery)
            }
            group.addTask { await watch.waitUntilGone() ? .clientLeft : .stoppedWatching }
            var clientLeft = false
            for await event in group {
                switch event {
                case .answered(let status, let delivery):
                    // What was delivered counts, whoever is seen first: a client may close as soon as it has the whole
                    // response. There will be no further request then.
                    let isLast = clientLeft && delivery == .keepsConnection
                    outcome = (delivery == .failed ? 499 : status, isLast ? .lastOfConnection : delivery)
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
