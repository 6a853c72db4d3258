import Console
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The head of a response.
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

    /// The target of a redirection; nil for other responses.
    var location: URL? {
        guard (300..<400).contains(status), let text = self["location"] else { return nil }
        return URL(string: text, relativeTo: url)?.absoluteURL
    }
}

/// HTTP requests through URLSession: redirections are left to the caller, and bodies are delivered in pieces.
///
/// URLSession has no back-pressure: a slow receiver's pieces queue up in memory. So callers ask for ranges that fit
/// into memory.
final class HTTPClient: Sendable {
    /// Receives a response. Both closures are called on the session's queue; throwing aborts the request.
    struct Receiver: Sendable {
        /// Called with the head; returns false to end the request without the body.
        let begin: @Sendable (HTTPHead) throws(HubError) -> Bool
        let receive: @Sendable (Data) throws(HubError) -> Void

        static let ignoring = Receiver(begin: { _ in true }, receive: { _ in })
    }

    private let session: URLSession
    private let transfers = TransferDelegate()

    /// - Parameter stallSeconds: time-out without any byte received.
    init(stallSeconds: Double) {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = stallSeconds
        configuration.httpMaximumConnectionsPerHost = 8
        configuration.httpShouldSetCookies = false
        configuration.urlCache = nil
        session = URLSession(configuration: configuration, delegate: transfers, delegateQueue: nil)
    }

    deinit { session.finishTasksAndInvalidate() }

    /// Sends a request and delivers its response.
    /// - Throws: `HubError`, transient if the connection failed or broke.
    func send(_ request: URLRequest, receiver: Receiver) async throws(HubError) -> HTTPHead {
        let task = session.dataTask(with: request)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfers.add(Transfer(receiver: receiver, continuation: continuation), for: task)
                // Whether the cancellation came before or comes after this, one of the two calls finds the transfer.
                if Task.isCancelled { transfers.cancel(task) } else { task.resume() }
            }
        } onCancel: {
            transfers.cancel(task)
        }
        return try result.get()
    }
}

/// One request in progress.
private struct Transfer {
    let receiver: HTTPClient.Receiver
    let continuation: CheckedContinuation<Result<HTTPHead, HubError>, Never>
    var head: HTTPHead?
    /// Set if this side ended the request; takes precedence over what the session reports.
    var outcome: Result<HTTPHead, HubError>?
}

/// The session's delegate: passes events to the transfer of their task. All calls come from one serial queue.
private final class TransferDelegate: NSObject, URLSessionDataDelegate, Sendable {
    private let running = Mutex<[Int: Transfer]>([:])

    func add(_ transfer: Transfer, for task: URLSessionTask) {
        running.withLock { $0[task.taskIdentifier] = transfer }
    }

    /// Ends a transfer immediately, without waiting for the session.
    func cancel(_ task: URLSessionTask) {
        let transfer = running.withLock { $0.removeValue(forKey: task.taskIdentifier) }
        transfer?.continuation.resume(returning: .failure(HubError("cancelled")))
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

    /// Rejects challenges: otherwise a 401 that offers a scheme would wait for a password without end.
    func urlSession(
        _ session: URLSession,
        task: URLSessionTask,
        didReceive challenge: URLAuthenticationChallenge,
        completionHandler: @escaping @Sendable (URLSession.AuthChallengeDisposition, URLCredential?) -> Void
    ) {
        // The constant for this is missing on Linux, where libcurl checks certificates.
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
        let transfer = running.withLock { $0[dataTask.taskIdentifier] }
        guard let transfer, transfer.outcome == nil else { return }
        do throws(HubError) {
            try transfer.receiver.receive(data)
        } catch {
            running.withLock { $0[dataTask.taskIdentifier]?.outcome = .failure(error) }
            dataTask.cancel()
        }
    }

    func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
        guard let transfer = running.withLock({ $0.removeValue(forKey: task.taskIdentifier) }) else { return }
        transfer.continuation.resume(returning: transfer.outcome ?? Self.outcome(transfer, task, error))
    }

    private static func outcome(
        _ transfer: Transfer,
        _ task: URLSessionTask,
        _ error: (any Error)?
    ) -> Result<HTTPHead, HubError> {
        let host = task.originalRequest?.url.map(hostText) ?? "the hub"
        guard let error else {
            return transfer.head.map { .success($0) } ?? .failure(.transient("\(host) gave no answer"))
        }
        // A rejected challenge is reported as a cancellation; the 401 is the actual outcome.
        if let head = transfer.head, head.status == 401 { return .success(head) }
        return .failure(.transient("\(host): \(explain(error, began: transfer.head != nil))"))
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
