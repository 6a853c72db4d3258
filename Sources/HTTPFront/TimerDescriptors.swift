import Dispatch

/// Makes libdispatch open what it needs for timers while there are descriptors.
///
/// It makes one for each clock when that clock's first timer is set, and keeps it; if there is none left then, it ends
/// the process.
enum TimerDescriptors {
    static func open() async {
        let moment = Duration.milliseconds(1)
        try? await Task.sleep(for: moment, clock: .continuous)
        try? await Task.sleep(for: moment, clock: .suspending)
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(deadline: .now() + .milliseconds(1)) { continuation.resume() }
        }
        await withCheckedContinuation { continuation in
            DispatchQueue.global().asyncAfter(wallDeadline: .now() + .milliseconds(1)) { continuation.resume() }
        }
    }
}
