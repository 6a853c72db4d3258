/// The methods that change or test the case and kind of characters.
extension Interpreter {
    func changeCase(of text: Text, _ method: StringMethod) throws(TemplateError) -> Text {
        try budget.spend(bytes: text.count)
        var builder = TextBuilder(budget)
        var followsCased = false
        var isFirst = true
        try text.forEachScalar { (scalar, range) throws(TemplateError) in
            let upper = method == .upper || (method == .swapcase && scalar.properties.isLowercase)
            let lower = method == .swapcase && !scalar.properties.isUppercase && !upper
            let title = method == .title ? !followsCased : method == .capitalize && isFirst
            followsCased = scalar.properties.isCased
            isFirst = false
            if scalar.value < 0x80 {
                let byte = UInt8(scalar.value)
                let isLetter = (0x61...0x7A).contains(byte | 0x20)
                let mapped = !isLetter || lower ? byte : upper || title ? byte & 0xDF : byte | 0x20
                try builder.append(mapped, text.origin(at: range.lowerBound))
                return true
            }
            let properties = scalar.properties
            let mapped =
                lower
                ? String(scalar)
                : upper
                    ? properties.uppercaseMapping
                    : title ? properties.titlecaseMapping : try lowercase(scalar, range, in: text)
            try builder.append(mapped, text.origin(at: range.lowerBound))
            return true
        }
        return builder.finish()
    }

    private static let sigma: Unicode.Scalar = "\u{3A3}"

    /// Python knows one rule of context: a capital sigma at the end of a word.
    private func lowercase(_ scalar: Unicode.Scalar, _ range: Range<Int>, in text: Text) throws(TemplateError) -> String
    {
        guard scalar == Interpreter.sigma else { return scalar.properties.lowercaseMapping }
        var before = range.lowerBound
        var followsCased = false
        while let (scalar, start) = text.scalar(before: before) {
            try budget.spend()
            before = start
            guard !scalar.properties.isCaseIgnorable else { continue }
            followsCased = scalar.properties.isCased
            break
        }
        var after = range.upperBound
        var precedesCased = false
        while after < text.count {
            try budget.spend()
            let (scalar, end) = text.scalar(at: after)
            after = end
            guard !scalar.properties.isCaseIgnorable else { continue }
            precedesCased = scalar.properties.isCased
            break
        }
        return followsCased && !precedesCased ? "\u{3C2}" : "\u{3C3}"
    }
}

/// `str.isalpha` and the similar tests.
enum CharacterTest {
    static func holds(_ method: StringMethod, _ text: Text) -> Bool {
        switch method {
        case .isascii: return text.allScalars(\.isASCII)
        case .isprintable: return text.allScalars(\.isPythonPrintable)
        case .islower:
            return hasOneCase(text) {
                $0.properties.isLowercase
            } not: {
                $0.isUpperOrTitle
            }
        case .isupper:
            return hasOneCase(text) {
                $0.properties.isUppercase
            } not: {
                $0.properties.isLowercase || $0.isTitle
            }
        case .istitle: return isTitle(text)
        case .isidentifier:
            guard !text.isEmpty else { return false }
            let (first, end) = text.scalar(at: 0)
            return first.isNameStart && text[end..<text.count].allScalars(\.isNamePart)
        default:
            guard !text.isEmpty, let test = test(of: method) else { return false }
            return text.allScalars(test)
        }
    }

    private static func test(of method: StringMethod) -> ((Unicode.Scalar) -> Bool)? {
        switch method {
        case .isalpha: { $0.isPythonLetter }
        case .isalnum: { $0.isPythonLetter || $0.properties.numericType != nil }
        case .isdecimal: { $0.properties.numericType == .decimal }
        case .isdigit: { $0.properties.numericType == .decimal || $0.properties.numericType == .digit }
        case .isnumeric: { $0.properties.numericType != nil }
        case .isspace: { $0.isPythonSpace }
        default: nil
        }
    }

    /// Whether there is a character of one case and none of another.
    private static func hasOneCase(
        _ text: Text,
        _ isWanted: (Unicode.Scalar) -> Bool,
        not isRefused: (Unicode.Scalar) -> Bool
    ) -> Bool {
        var isFound = false
        let isPure = text.allScalars { scalar in
            isFound = isFound || isWanted(scalar)
            return !isRefused(scalar)
        }
        return isFound && isPure
    }

    private static func isTitle(_ text: Text) -> Bool {
        var followsCased = false
        var isFound = false
        let isTitle = text.allScalars { scalar in
            let isUpper = scalar.isUpperOrTitle
            let isLower = !isUpper && scalar.properties.isLowercase
            if (isUpper && followsCased) || (isLower && !followsCased) { return false }
            followsCased = isUpper || isLower
            isFound = isFound || followsCased
            return true
        }
        return isTitle && isFound
    }
}

extension Unicode.Scalar {
    fileprivate var isTitle: Bool { properties.generalCategory == .titlecaseLetter }
    fileprivate var isUpperOrTitle: Bool { properties.isUppercase || isTitle }

    /// What `\w` matches.
    var isPythonWord: Bool { isPythonLetter || properties.numericType != nil || self == "_" }

    fileprivate var isPythonLetter: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: false
        }
    }
}
