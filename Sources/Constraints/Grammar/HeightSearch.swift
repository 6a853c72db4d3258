/// Finds the shallowest values: first those that have no parts, then what those suffice for, level by level.
struct HeightSearch {
    /// An object or array.
    private struct Container {
        /// Parts that it must have and that are not known to have a value.
        var missing = 0
        /// How many more parts it must have, whichever they are.
        var missingOthers = 0
        /// Values that it may be.
        var owners: [Int] = []

        var isComplete: Bool { missing == 0 && missingOthers == 0 }
    }

    /// A part of a container, which any of one or two values can be.
    private struct Slot {
        var container: Int
        /// Whether the container must have this part, or only so many of some.
        var isRequired: Bool
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
                add([member.value, member.text].compactMap { $0 }, to: index, isRequired: member.isRequired)
            }
            for region in rule.regions where rule.least > 0 { add([region.value], to: index, isRequired: false) }
            containers[index].missingOthers = max(0, Int(rule.least) - containers[index].missing)
        }
        for index in objectCount..<containers.count {
            let rule = rules.arrays[first.arrays + index - objectCount]
            for place in 0..<min(rule.least, Int32(rule.prefix.count) + 1) {
                add(rule.value(at: place).map { [$0] } ?? [], to: index, isRequired: true)
            }
        }
        for index in uses.indices {
            let rule = rules.values[first.values + index]
            for object in rule.objects { containers[Int(object) - first.objects].owners.append(index) }
            for array in rule.arrays { containers[objectCount + Int(array) - first.arrays].owners.append(index) }
        }
    }

    private mutating func add(_ values: [Int32], to container: Int, isRequired: Bool) {
        if isRequired { containers[container].missing += 1 }
        for value in values { uses[Int(value) - first.values].append(slots.count) }
        slots.append(Slot(container: container, isRequired: isRequired))
    }

    private mutating func run(_ rules: inout GrammarRules) {
        var height: Int32 = 0
        var values = uses.indices.filter { rules.values[first.values + $0].scalar != RegexPool.nothing }
        for value in values { rules.values[first.values + value].height = 0 }
        var complete = containers.indices.filter { containers[$0].isComplete }
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
            if slots[slot].isRequired {
                containers[container].missing -= 1
            } else if containers[container].missingOthers > 0 {
                containers[container].missingOthers -= 1
            } else {
                continue
            }
            if containers[container].isComplete { complete.append(container) }
        }
        return complete
    }
}
