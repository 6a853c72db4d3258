import Platform

/// An IPv4 or IPv6 socket address.
struct Address: Sendable {
    private var storage: sockaddr_storage

    init(_ storage: sockaddr_storage) {
        self.storage = storage
    }

    /// The address a socket is bound to.
    init(localOf descriptor: Int32) {
        storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &length) }
        }
    }

    var family: Int32 { Int32(storage.ss_family) }

    /// Both address families have the port in bytes 2 and 3, in network byte order.
    var port: UInt16 {
        get { withUnsafeBytes(of: storage) { UInt16($0[2]) << 8 | UInt16($0[3]) } }
        set {
            withUnsafeMutableBytes(of: &storage) { bytes in
                bytes[2] = UInt8(newValue >> 8)
                bytes[3] = UInt8(truncatingIfNeeded: newValue)
            }
        }
    }

    var isLoopback: Bool {
        withUnsafeBytes(of: storage) { bytes in
            if family == AF_INET { return bytes[4] == 127 }
            guard family == AF_INET6 else { return false }
            let address = bytes[8..<24]
            if Address.isMapped(address) { return bytes[20] == 127 }
            return address.dropLast().allSatisfy { $0 == 0 } && bytes[23] == 1
        }
    }

    /// Whether the 16 bytes of an IPv6 address hold an IPv4 address: `::ffff:192.0.2.1`.
    private static func isMapped(_ address: Slice<UnsafeRawBufferPointer>) -> Bool {
        address.prefix(10).allSatisfy { $0 == 0 } && address.dropFirst(10).prefix(2).allSatisfy { $0 == 0xFF }
    }

    private var holdsIPv4: Bool {
        family == AF_INET || family == AF_INET6 && withUnsafeBytes(of: storage) { Address.isMapped($0[8..<24]) }
    }

    /// The textual address without the port; an IPv4-mapped IPv6 address is shown as IPv4.
    var text: String {
        withUnsafeBytes(of: storage) { bytes in
            var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
            let start = family == AF_INET ? 4 : holdsIPv4 ? 20 : 8
            guard family == AF_INET || family == AF_INET6, let base = bytes.baseAddress,
                inet_ntop(holdsIPv4 ? AF_INET : family, base + start, &buffer, socklen_t(buffer.count)) != nil
            else { return "unknown" }
            return String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
    }

    /// The key of clients without a name: an IPv4 address, or the /64 network of an IPv6 address, within which a host
    /// can choose its address.
    var network: String {
        guard !holdsIPv4 else { return text }
        var copy = self
        withUnsafeMutableBytes(of: &copy.storage) { bytes in
            for index in 16..<24 { bytes[index] = 0 }
        }
        return copy.text + "/64"
    }

    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        let size = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        return withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(size)) }
        }
    }

    /// The addresses of a host, each once and IPv4 first. `localhost` is this machine whatever name servers say
    /// (RFC 6761 §6.3).
    static func resolve(host: String, port: UInt16) async throws(HTTPServerError) -> [Address] {
        let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
        if ["localhost", "localhost."].contains(bare.lowercased()) {
            let here = try lookUp("127.0.0.1", port, flags: AI_NUMERICHOST).get()
            return try here + lookUp("::1", port, flags: AI_NUMERICHOST).get()
        }
        if let numeric = try? lookUp(bare, port, flags: AI_NUMERICHOST).get() { return numeric }
        // Resolving a name may block for seconds, so it gets a thread of its own.
        let result = await withCheckedContinuation { continuation in
            let started = startThread(named: "http-resolver") {
                continuation.resume(returning: lookUp(bare, port, flags: 0))
            }
            if !started {
                continuation.resume(returning: .failure(.system("cannot start a thread to resolve \"\(bare)\"")))
            }
        }
        var seen = Set<String>()
        let addresses = try result.get().filter { seen.insert($0.text).inserted }
        return addresses.filter { $0.family == AF_INET } + addresses.filter { $0.family != AF_INET }
    }

    private static func lookUp(_ host: String, _ port: UInt16, flags: Int32) -> Result<[Address], HTTPServerError> {
        var hints = addrinfo()
        hints.ai_flags = flags | AI_PASSIVE
        hints.ai_socktype = StreamSocket.type
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &list)
        guard status == 0 else {
            let reason = String(cString: gai_strerror(status))
            return .failure(
                HTTPServerError(
                    "cannot resolve the host \"\(host)\": \(reason); use an address or a name of this machine"
                )
            )
        }
        defer { freeaddrinfo(list) }
        var addresses: [Address] = []
        var entry = list
        while let info = entry?.pointee {
            let length = min(Int(info.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
            if info.ai_family == AF_INET || info.ai_family == AF_INET6, let address = info.ai_addr {
                var storage = sockaddr_storage()
                withUnsafeMutableBytes(of: &storage) {
                    $0.copyMemory(from: UnsafeRawBufferPointer(start: address, count: length))
                }
                addresses.append(Address(storage))
            }
            entry = info.ai_next
        }
        return .success(addresses)
    }
}
