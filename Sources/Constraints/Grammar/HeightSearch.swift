/// Finds the shallowest values: first those that have no parts, then what those suffice for, level by level.
struct HeightSearch {
    /// An object or array.
    private struct Container {
        /// Parts that it must have and that are not known to have a value.
        var missing = 0
        /// Values that it may be.
        var owners: [Int] = []
    }

    /// A part that a container must have, which any of one or two values can be.
    private struct Slot {
        var container: Int
        var isFilled = false
    }

    private let first: (values: Int, objects: Int, arrays: Int)
    private let objectCount: Int
    /// Objects and then arrays.
    private var containers: [Container]
    private var slots: [Slot] = []
    /// The slots that each value can fill.
    private var uses: [[Int]]

    /// Sets the heights of rules. Values, objects and arrays that cannot be finished stay unreachable.
    /// - Parameter first: the first rules of one schema: no others refer to them, and they to no others.
    static func measure(_ rules: inout GrammarRules, from first: (values: Int, objects: Int, arrays: Int)) {
        var search = HeightSearch(rules, first)
        search.run(&rules)
    }

    private init(_ rules: GrammarRules, _ first: (values: Int, objects: Int, arrays: Int)) {
        self.first = first
        objectCount = rules.objects.count - first.objects
        containers = Array(repeating: Container(), count: objectCount + rules.arrays.count - first.arrays)
        uses = Array(repeating: [], count: rules.values.count - first.values)
        for index in 0..<objectCount {
            let rule = rules.objects[first.objects + index]
            for member in rule.members where member.isRequired || rule.least > 0 {
                require([member.value, member.text].compactMap { $0 }, in: index)
            }
            for region in rule.regions where rule.least > 0 { require([region.value], in: index) }
        }
        for index in objectCount..<containers.count {
            let rule = rules.arrays[first.arrays + index - objectCount]
            for place in 0..<min(rule.least, Int32(rule.prefix.count) + 1) {
                require(rule.value(at: place).map { [$0] } ?? [], in: index)
            }
        }
        for index in uses.indices {
            let rule = rules.values[first.values + index]
            for object in rule.objects { containers[Int(object) - first.objects].owners.append(index) }
            for array in rule.arrays { containers[objectCount + Int(array) - first.arrays].owners.append(index) }
        }
    }

    private mutating func require(_ values: [Int32], in container: Int) {
        containers[container].missing += 1
        for value in values { uses[Int(value) - first.values].append(slots.count) }
        slots.append(Slot(container: container))
    }

    private mutating func run(_ rules: inout GrammarRules) {
        var height: Int32 = 0
        var values = uses.indices.filter { rules.values[first.values + $0].scalar != RegexPool.nothing }
        for value in values { rules.values[first.values + value].height = 0 }
        var complete = containers.indices.filter { containers[$0].missing == 0 }
        while !values.isEmpty || !complete.isEmpty {
            // What has no more missing parts is one higher than the last of them.
            for value in values { complete += fill(with: value) }
            height += 1
            values = []
            for container in complete {
                if container < objectCount {
                    rules.objects[first.objects + container].height = height
                } else {
                    rules.arrays[first.arrays + container - objectCount].height = height
                }
                for owner in containers[container].owners
                where rules.values[first.values + owner].height == ValueRule.unreachable {
                    rules.values[first.values + owner].height = height
                    values.append(owner)
                }
            }
            complete = []
        }
    }

    /// - Returns: the containers that have all their parts now.
    private mutating func fill(with value: Int) -> [Int] {
        var complete: [Int] = []
        for slot in uses[value] where !slots[slot].isFilled {
            slots[slot].isFilled = true
            let container = slots[slot].container
            containers[container].missing -= 1
            if containers[container].missing == 0 { complete.append(container) }
        }
        return complete
    }
}
