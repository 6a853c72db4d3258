import APIClient
import Chat
import Foundation

/// A conversation in a terminal or with lines from a pipe: reads turns, prints answers, keeps both.
struct ChatSession {
    private static let prompt = "> "
    private static let continuation = "| "

    private var backend: any ChatBackend
    private var conversation: Conversation
    private let lines: any LineSource
    /// Whether a user is at a terminal; otherwise only answers are printed, and the first error ends the conversation.
    private let isInteractive: Bool
    private let interrupts = ChatInterrupts()

    init(backend: any ChatBackend, system: String?) {
        self.backend = backend
        conversation = Conversation(system: system)
        isInteractive = Terminal.inputIsKeyboard && Terminal.isOutputSeen
        lines =
            isInteractive && !Terminal.isDumb
            ? LineEditor() : PlainLines(showsPrompt: isInteractive)
    }

    /// - Returns: the exit status.
    mutating func run() async throws -> Int32 {
        guard isInteractive else { return try await runPlain() }
        let watch = interrupts.watch()
        defer {
            watch.cancel()
            TerminalModes.shared.restoreForExit()
        }
        Terminal.print("Pensieve \(Command.version): \(backend.model) \(backend.location)")
        Terminal.print(Terminal.dim("/help lists the commands, Ctrl-D ends"))
        while let turn = try await nextTurn() {
            if let command = SlashCommand(turn) {
                guard await run(command) else { break }
            } else {
                await converse(turn)
            }
        }
        return 0
    }

    // MARK: Turns

    /// - Returns: nil at the end.
    private mutating func nextTurn() async throws -> String? {
        var assembler = TurnAssembler()
        var interruptions = 0
        while true {
            let prompt = assembler.isInside ? Self.continuation : Self.prompt
            interrupts.begin(.reading(prompt: prompt, interruptions: interruptions))
            switch await lines.next(prompt: prompt) {
            case .end: return nil
            case .interrupted(let hadText):
                interruptions = hadText || assembler.isInside ? 0 : interruptions + interrupts.count + 1
                if interruptions > 1 { return nil }
                // Before the hint is shown: until the editor reads again, the next Ctrl-C comes as a signal.
                interrupts.begin(.reading(prompt: Self.prompt, interruptions: interruptions))
                if interruptions == 1 { Terminal.print(Terminal.dim(ChatInterrupts.hint)) }
                assembler.reset()
            case .line(let line):
                interruptions = 0
                do {
                    guard let turn = try assembler.add(line) else { continue }
                    if turn.contains(where: { !$0.isWhitespace }) { return turn }
                } catch {
                    Terminal.error("error: \(error)")
                }
            }
        }
    }

    private mutating func converse(_ question: String) async {
        interrupts.begin(.answering { @Sendable [backend] in backend.interrupt() })
        do {
            let answer = try await backend.answer(question, in: conversation) { Terminal.stream($0) }
            Terminal.stream(answer.text.isEmpty || answer.text.hasSuffix("\n") ? "" : "\n")
            Terminal.print(Terminal.dim(answer.statistics?.line ?? "[interrupted]"))
            keep(question, answer.text)
        } catch {
            Terminal.control("\n")
            Terminal.error("error: \(error)")
        }
    }

    /// A turn without an answer is not kept: many templates reject two user turns in a row.
    private mutating func keep(_ question: String, _ answer: String) {
        guard answer.contains(where: { !$0.isWhitespace }) else { return }
        conversation.add(question, answer)
    }

    // MARK: Commands

    /// - Returns: false if the conversation ends.
    private mutating func run(_ command: SlashCommand) async -> Bool {
        switch command {
        case .exit: return false
        case .help: say(SlashCommand.list)
        case .reset:
            conversation.reset()
            say("The conversation begins anew.")
        case .system(nil):
            say(conversation.system.map { "The system prompt is: \($0)" } ?? "There is no system prompt.")
        case .system(let text?):
            conversation.system = text.isEmpty ? nil : text
            say(text.isEmpty ? "There is no system prompt now." : "The system prompt is set.")
        case .model(let name): await change(to: name)
        case .unknown(let name):
            say("There is no command \(name); /help lists them. A space before the / sends it to the model.")
        }
        return true
    }

    private mutating func change(to name: String?) async {
        interrupts.begin(.busy)
        do {
            guard let name else {
                say("The model is \(backend.model). There are: " + (try await backend.models()).joined(separator: ", "))
                return
            }
            backend = try await backend.switched(to: name)
            say("The model is \(backend.model) now.")
        } catch {
            Terminal.error("error: \(error)")
        }
    }

    private func say(_ text: String) {
        if isInteractive { Terminal.print(Terminal.dim(text)) } else { Terminal.error(text) }
    }

    // MARK: Without a terminal

    private mutating func runPlain() async throws -> Int32 {
        var assembler = TurnAssembler()
        while case .line(let line) = await lines.next(prompt: "") {
            guard let turn = try assembler.add(line) else { continue }
            guard try await answerPlain(turn) else { return 0 }
        }
        if assembler.isInside { _ = try await answerPlain(assembler.finish()) }
        return 0
    }

    private mutating func answerPlain(_ turn: String) async throws -> Bool {
        guard turn.contains(where: { !$0.isWhitespace }) else { return true }
        if let command = SlashCommand(turn) { return await run(command) }
        let answer = try await backend.answer(turn, in: conversation) { Terminal.stream($0) }
        Terminal.stream(answer.text.hasSuffix("\n") ? "" : "\n")
        keep(turn, answer.text)
        return true
    }
}

/// The system prompt and the turns so far.
struct Conversation: Sendable, Equatable {
    struct Turn: Sendable, Equatable {
        var question: String
        var answer: String
    }

    var system: String?
    private(set) var turns: [Turn] = []

    init(system: String? = nil) { self.system = system }

    mutating func add(_ question: String, _ answer: String) {
        turns.append(Turn(question: question, answer: answer))
    }

    mutating func reset() { turns = [] }

    /// All turns with a new question at the end, for a chat format.
    func chatTurns(asking question: String) -> [ChatTurn] {
        (system.map { [ChatTurn(role: .system, text: $0)] } ?? []) + messages(asking: question)
    }

    /// The same without the system prompt, for the API.
    func messages(asking question: String) -> [ChatTurn] {
        turns.flatMap { [ChatTurn(role: .user, text: $0.question), ChatTurn(role: .assistant, text: $0.answer)] }
            + [ChatTurn(role: .user, text: question)]
    }
}
