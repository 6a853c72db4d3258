import Foundation
import LoadTest

@main
struct Main {
    static func main() {
        exit(LoadTest.run(Array(CommandLine.arguments.dropFirst())))
    }
}
