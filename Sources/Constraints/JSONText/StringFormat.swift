/// The formats of strings that are enforced, as patterns. Each admits no string that a strict check refuses, and what
/// programs usually write.
enum StringFormat {
    /// The pattern of a format; nil for names that have no meaning by themselves, which do not constrain.
    static func pattern(_ name: String) -> String? { patterns[name] }

    /// Formats that mean something that no pattern here expresses.
    static let unenforced: Set<String> = [
        "regex", "idn-email", "idn-hostname", "iri", "iri-reference", "uri-template",
    ]

    private static let year = "(?:000[1-9]|00[1-9]\\d|0[1-9]\\d\\d|[1-9]\\d{3})"
    private static let leapYear =
        "(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
    private static let date =
        "(?:\(year)-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)"
        + "|02-(?:0[1-9]|1\\d|2[0-8]))|\(leapYear)-02-29)"
    private static let time = "(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?"
    private static let offset = "(?:[Zz]|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)"
    private static let octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
    private static let ipv4 = "\(octet)(?:\\.\(octet)){3}"
    private static let label = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    private static let hostname = "\(label)(?:\\.\(label)){0,10}"
    private static let pathCharacter = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})"

    private static let ipv6: String = {
        let group = "[0-9A-Fa-f]{1,4}"
        var forms = ["(?:\(group):){7}\(group)", "(?:\(group):){6}\(ipv4)", "::(?:\(group):){0,5}\(ipv4)"]
        forms += ["::", "::\(group)(?::\(group)){0,6}"]
        for count in 1...6 { forms.append("(?:\(group):){\(count)}(?::\(group)){1,\(7 - count)}") }
        for count in 1...7 { forms.append("(?:\(group):){\(count)}:") }
        return forms.map { "^\($0)$" }.joined(separator: "|")
    }()

    private static let path = "(?:/\(pathCharacter)*)*"
    private static let authority =
        "//(?:(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*@)?"
        + "(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*(?::\\d{0,5})?\(path)"
    private static let query = "(?:\\?(?:\(pathCharacter)|[/?])*)?(?:#(?:\(pathCharacter)|[/?])*)?"
    private static let uri =
        "[A-Za-z][A-Za-z0-9+.-]*:(?:\(authority)|/?(?:\(pathCharacter)+\(path))?)\(query)"
    /// A reference without a scheme has no colon in its first segment.
    private static let relative =
        "(?:\(authority)|/(?:\(pathCharacter)+\(path))?|(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-Fa-f]{2})+\(path))?\(query)"

    private static let patterns: [String: String] = [
        "date": "^\(date)$",
        "time": "^\(time)\(offset)$",
        "date-time": "^\(date)[Tt]\(time)\(offset)$",
        "duration": "^P(?:\\d+W|(?:\\d+Y(?:\\d+M(?:\\d+D)?)?|\\d+M(?:\\d+D)?|\\d+D)"
            + "(?:T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))?"
            + "|T(?:\\d+H(?:\\d+M(?:\\d+S)?)?|\\d+M(?:\\d+S)?|\\d+S))$",
        "uuid": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "email": "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@\(hostname)$",
        "hostname": "^(?=.{1,253}$)(?!(?:[^.]*\\.)*[^.]{2}--)\(hostname)$",
        "ipv4": "^\(ipv4)$",
        "ipv6": ipv6,
        "uri": "^\(uri)$",
        "uri-reference": "^(?:\(uri)|\(relative))$",
        "json-pointer": "^(?:/(?:[^~/]|~[01])*)*$",
        "relative-json-pointer": "^(?:0|[1-9]\\d{0,8})(?:#|(?:/(?:[^~/]|~[01])*)*)$",
    ]
}
