import Platform

extension HTTPServerError {
    /// The error of a failed system call, with the text of its `errno`.
    static func system(_ what: String, _ code: Int32 = errno) -> HTTPServerError {
        HTTPServerError("\(what): \(String(cString: strerror(code)))")
    }
}

/// A listening socket.
struct Listener {
    enum Accepted {
        case connection(Socket, peer: Address)
        case wouldBlock
        /// No descriptor or memory is left for now.
        case exhausted
    }

    let socket: Socket
    let port: UInt16

    /// The most addresses of one name to listen on.
    private static let maxAddresses = 8
    /// The most attempts to find a port that is free on all addresses.
    private static let portAttempts = 20

    /// Binds to all of the host's addresses that this machine has, with the same port on each.
    /// - Throws: `HTTPServerError` if the host cannot be resolved or no address can be bound.
    static func bind(host: String, port: UInt16, poller: Poller) async throws(HTTPServerError) -> [Listener] {
        let addresses = try await Address.resolve(host: host, port: port).prefix(maxAddresses)
        var attempt = 1
        while true {
            do throws(BindFailure) {
                return try bind(addresses, port: port, poller: poller)
            } catch {
                // The kernel chose a port that is free on the first address only.
                guard port == 0, error.code == EADDRINUSE, attempt < portAttempts else { throw error.explained }
                attempt += 1
            }
        }
    }

    /// Checks that `bind` would succeed now.
    static func check(host: String, port: UInt16) async throws(HTTPServerError) {
        let addresses = try await Address.resolve(host: host, port: port).prefix(maxAddresses)
        guard port != 0 else { return }
        var (isThere, missing): (Bool, BindFailure?) = (false, nil)
        for address in addresses {
            do throws(BindFailure) {
                close(try boundSocket(address))
                isThere = true
            } catch {
                guard isMissing(error) else { throw error.explained }
                missing = error
            }
        }
        if !isThere, let missing { throw missing.explained }
    }

    private static func bind(
        _ addresses: some Sequence<Address>,
        port: UInt16,
        poller: Poller
    ) throws(BindFailure) -> [Listener] {
        var listeners: [Listener] = []
        var missing: BindFailure?
        for var address in addresses {
            address.port = listeners.first?.port ?? port
            do throws(BindFailure) {
                listeners.append(try Listener(address, poller: poller))
            } catch {
                guard isMissing(error) else { throw error }
                missing = error
            }
        }
        if listeners.isEmpty, let missing { throw missing }
        return listeners
    }

    /// For example ::1 on a machine without IPv6.
    private static func isMissing(_ failure: BindFailure) -> Bool {
        [EADDRNOTAVAIL, EAFNOSUPPORT].contains(failure.code)
    }

    private static func boundSocket(_ address: Address) throws(BindFailure) -> Int32 {
        let descriptor = StreamSocket.open(family: address.family)
        guard descriptor >= 0 else { throw BindFailure(code: errno, address: address) }
        Socket.setOption(of: descriptor, Int(SOL_SOCKET), SO_REUSEADDR, 1)
        if address.family == AF_INET6 { Socket.setOption(of: descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0) }
        guard address.withPointer({ Platform.bind(descriptor, $0, $1) }) == 0 else {
            let failure = BindFailure(code: errno, address: address)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    private init(_ address: Address, poller: Poller) throws(BindFailure) {
        let descriptor = try Self.boundSocket(address)
        socket = Socket(adopting: descriptor, poller: poller)
        guard listen(descriptor, 1024) == 0 else { throw BindFailure(code: errno, address: address) }
        self.port = Address(localOf: descriptor).port
    }

    func accept() -> Accepted {
        while true {
            var address = sockaddr_storage()
            let descriptor = StreamSocket.accept(from: socket.descriptor, &address)
            if descriptor >= 0 {
                let connection = Socket(adopting: descriptor, poller: socket.poller)
                connection.configureConnection()
                return .connection(connection, peer: Address(address))
            }
            switch errno {
            case EAGAIN: return .wouldBlock
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
            // Everything else is a connection that broke before it was accepted (accept(2)).
            case EBADF, EINVAL, ENOTSOCK: return .wouldBlock
            default: continue
            }
        }
    }
}

/// Why there is no listening socket on an address.
private struct BindFailure: Error {
    let code: Int32
    let address: Address

    var explained: HTTPServerError {
        switch code {
        case EADDRINUSE:
            HTTPServerError(
                "port \(address.port) on \(address.text) is in use by another program; stop that one, or choose another "
                    + "port with --port (0 picks a free one)"
            )
        case EADDRNOTAVAIL:
            HTTPServerError(
                "\(address.text) is not an address of this machine; use 127.0.0.1, or 0.0.0.0 for all addresses"
            )
        case EACCES:
            HTTPServerError("no permission to listen on port \(address.port); choose one above 1023 with --port")
        default: .system("cannot listen on \(address.text) port \(address.port)", code)
        }
    }
}
