import Console
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// What a server says before the body.
struct HTTPHead: Sendable {
    let url: URL
    let status: Int
    private let fields: [String: String]

    init(url: URL, status: Int, fields: [String: String]) {
        self.url = url
        self.status = status
        self.fields = Dictionary(fields.map { ($0.lowercased(), $1) }) { first, _ in first }
    }

    subscript(_ name: String) -> String? { fields[name] }

    /// Where a redirection leads; nil for any other answer.
    var location: URL? {
        guard (300..<400).contains(status), let text = self["location"] else { return nil }
        return URL(string: text, relativeTo: url)?.absoluteURL
    }
}

/// HTTP exchanges by URLSession: redirections are left to the caller, and bodies arrive piece by piece.
///
/// URLSession reads as fast as the network gives, whatever the receiver's speed, so a caller asks for ranges that it could
/// hold in memory.
final class HTTPClient: Sendable {
    /// What becomes of a body. Both are called on the session's own queue, and throwing ends the exchange.
    struct Receiver: Sendable {
        /// Called when the head has come; if it returns false, the exchange ends there, and with it the connection.
        let begin: @Sendable (HTTPHead) throws(HubError) -> Bool
        let receive: @Sendable (Data) throws(HubError) -> Void

        static let ignoring = Receiver(begin: { _ in true }, receive: { _ in })
    }

    private let session: URLSession
    private let exchanges = Exchanges()

    /// - Parameter stallSeconds: how long nothing may arrive.
    init(stallSeconds: Double) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = stallSeconds
        configuration.httpMaximumConnectionsPerHost = 8
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        session = URLSession(configuration: configuration, delegate: exchanges, delegateQueue: nil)
    }

    deinit { session.finishTasksAndInvalidate() }

    /// Performs one exchange.
    /// - Throws: `HubError`, passing if the connection failed or broke.
    func send(_ request: URLRequest, receiver: Receiver) async throws(HubError) -> HTTPHead {
        let task = session.dataTask(with: request)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                exchanges.add(Exchange(receiver: receiver, continuation: continuation), for: task)
                // Whether the cancellation came before or comes after, one of the two calls finds the exchange.
                if Task.isCancelled { exchanges.cancel(task) } else { task.resume() }
            }
        } onCancel: {
            exchanges.cancel(task)
        }
        return try result.get()
    }
}

/// One exchange under way.
private struct Exchange {
    let receiver: HTTPClient.Receiver
    let continuation: CheckedContinuation<Result<HTTPHead, HubError>, Never>
    var head: HTTPHead?
    /// The exchange was ended on this side, with this outcome, whatever the session makes of it.
    var outcome: Result<HTTPHead, HubError>?
}

/// The session's delegate: passes what it says to the exchange it belongs to. All calls come from one serial queue.
private final class Exchanges: NSObject, URLSessionDataDelegate, Sendable {
    private let running = Mutex<[Int: Exchange]>([:])

    func add(_ exchange: Exchange, for task: URLSessionTask) {
        running.withLock { $0[task.taskIdentifier] = exchange }
    }

    /// Ends an exchange at once, whatever the session makes of the task.
    func cancel(_ task: URLSessionTask) {
        let exchange = running.withLock { $0.removeValue(forKey: task.taskIdentifier) }
        exchange?.continuation.resume(returning: .failure(HubError("cancelled")))
        task.cancel()
    }

    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        willPerformHTTPRedirection response: HTTPURLResponse,
        newRequest request: URLRequest,
        completionHandler: @escaping @Sendable (URLRequest?) -> Void
    ) {
        completionHandler(nil)
    }

    /// Without this a 401 that offers a scheme waits for ever for a user to give a password.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        // The constant of this name is missing on Linux, where certificates are libcurl's affair.
        let isServerTrust = challenge.protectionSpace.authenticationMethod == "NSURLAuthenticationMethodServerTrust"
        completionHandler(isServerTrust ? .performDefaultHandling : .rejectProtectionSpace, nil)
    }

    func urlSession(
        _ session: URLSession,
        dataTask: URLSessionDataTask,
        didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        guard let response = response as? HTTPURLResponse, let url = response.url else {
            completionHandler(.cancel)
            return
        }
        let fields = response.allHeaderFields.reduce(into: [String: String]()) { fields, field in
            if let name = field.key as? String, let value = field.value as? String { fields[name] = value }
        }
        let head = HTTPHead(url: url, status: response.statusCode, fields: fields)
        let receiver = running.withLock { $0[dataTask.taskIdentifier]?.receiver } ?? .ignoring
        var outcome: Result<HTTPHead, HubError>?
        do throws(HubError) {
            if try !receiver.begin(head) { outcome = .success(head) }
        } catch {
            outcome = .failure(error)
        }
        running.withLock { running in
            running[dataTask.taskIdentifier]?.head = head
            running[dataTask.taskIdentifier]?.outcome = outcome
        }
        completionHandler(outcome == nil ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let exchange = running.withLock { $0[dataTask.taskIdentifier] }
        guard let exchange, exchange.outcome == nil else { return }
        do throws(HubError) {
            try exchange.receiver.receive(data)
        } catch {
            running.withLock { $0[dataTask.taskIdentifier]?.outcome = .failure(error) }
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let exchange = running.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        exchange.continuation.resume(returning: exchange.outcome ?? Self.outcome(exchange, task, error))
    }

    private static func outcome(
        _ exchange: Exchange,
        _ task: URLSessionTask,
        _ error: (any Error)?
    ) -> Result<HTTPHead, HubError> {
        let host = task.originalRequest?.url.map(hostText) ?? "the hub"
        guard let error else {
            return exchange.head.map { .success($0) } ?? .failure(.passing("\(host) gave no answer"))
        }
        // A challenge that was refused ends as a cancellation; its 401 is what counts.
        if let head = exchange.head, head.status == 401 { return .success(head) }
        return .failure(.passing("\(host): \(explain(error, began: exchange.head != nil))"))
    }

    private static func hostText(_ url: URL) -> String {
        (url.host ?? "the hub") + (url.port.map { ":\($0)" } ?? "")
    }

    private static func explain(_ error: any Error, began: Bool) -> String {
        switch (error as? URLError)?.code {
        case .timedOut: began ? "the transfer stopped" : "no answer in time"
        case .cannotFindHost, .dnsLookupFailed: "there is no such host, or no network"
        case .cannotConnectToHost: "no connection: is the network up, and HF_ENDPOINT right?"
        case .cancelled: "cancelled"
        case .secureConnectionFailed, .serverCertificateUntrusted, .serverCertificateHasBadDate,
            .serverCertificateHasUnknownRoot:
            "its certificate cannot be verified"
        default: began ? "the connection broke" : (error as NSError).localizedDescription.printable
        }
    }
}
