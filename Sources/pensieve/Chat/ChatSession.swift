import APIClient
import Foundation

/// A conversation in the terminal, or of lines from a pipe: reads turns, shows answers, keeps both.
struct ChatSession {
    private static let prompt = "> "
    private static let continuation = "| "

    private var partner: any ChatPartner
    private var conversation: Conversation
    private let lines: any LineSource
    /// Whether somebody sits there: else only answers are printed, and the first failure is the end.
    private let isInteractive: Bool
    private let interrupts = ChatInterrupts()

    init(partner: any ChatPartner, system: String?) {
        self.partner = partner
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
            TerminalModes.shared.restore()
        }
        Terminal.print("Pensieve \(Command.version): \(partner.model) \(partner.place)")
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
            interrupts.begin(.reading(interruptions: interruptions))
            switch await lines.next(prompt: assembler.isInside ? Self.continuation : Self.prompt) {
            case .end: return nil
            case .interrupted(let hadText):
                interruptions = hadText || assembler.isInside ? 0 : interruptions + interrupts.count + 1
                if interruptions > 1 { return nil }
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
        interrupts.begin(.answering { @Sendable [partner] in partner.interrupt() })
        do {
            let answer = try await partner.answer(question, in: conversation) { Terminal.stream($0) }
            Terminal.stream(answer.text.isEmpty || answer.text.hasSuffix("\n") ? "" : "\n")
            Terminal.print(Terminal.dim(answer.figures?.line ?? "[interrupted]"))
            keep(question, answer.text)
        } catch {
            Terminal.control("\n")
            Terminal.error("error: \(error)")
        }
    }

    /// A turn without an answer is not kept: two questions in a row are no conversation to many templates.
    private mutating func keep(_ question: String, _ answer: String) {
        guard answer.contains(where: { !$0.isWhitespace }) else { return }
        conversation.add(question, answer)
    }

    // MARK: Commands

    /// - Returns: false for the end.
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
                say("The model is \(partner.model). There are: " + (try await partner.models()).joined(separator: ", "))
                return
            }
            partner = try await partner.changed(to: name)
            say("The model is \(partner.model) now.")
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
            guard try await takePlain(turn) else { return 0 }
        }
        if assembler.isInside { _ = try await takePlain(assembler.finish()) }
        return 0
    }

    private mutating func takePlain(_ turn: String) async throws -> Bool {
        guard turn.contains(where: { !$0.isWhitespace }) else { return true }
        if let command = SlashCommand(turn) { return await run(command) }
        let answer = try await partner.answer(turn, in: conversation) { Terminal.stream($0) }
        Terminal.stream(answer.text.hasSuffix("\n") ? "" : "\n")
        keep(turn, answer.text)
        return true
    }
}
