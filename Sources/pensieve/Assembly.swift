import BlockFiles
import Chat
import EngineContract
import Foundation
import HTTPFront
import Inference
import MessagesAPI
import Platform
import Scheduling
import Tokenization

/// Assembles a server from its modules: the only place that names concrete types.
struct Assembly: Sendable {
    let server: HTTPServer
    let api: MessagesAPI
    let scheduler: Scheduler
    /// The sampling parameters of requests that set none.
    let sampling: SamplingParameters

    static func make(
        _ configuration: Configuration,
        keys: [String],
        log: ServerLog
    ) async throws -> Assembly {
        let metrics = Metrics()
        let model = try await Model.load(configuration) { log.say($0, .warning) }
        let scheduler = Scheduler(
            engine: model.engine,
            configuration: schedulerConfiguration(configuration),
            observer: metrics,
            stored: try storedBlocks(of: model.engine, configuration),
            onFailure: { log.say($0, .warning) }
        )
        var settings = APIConfiguration()
        settings.apiKeys = keys
        settings.allowedOrigins = configuration.allowOrigins
        settings.pingInterval = .seconds(configuration.pingSeconds)
        settings.version = Command.version
        settings.defaultSampling = configuration.sampling(model.generation)
        settings.log = log
        settings.keepsThinking = configuration.keepThinking
        settings.requestLog = configuration.logRequests ? log : nil
        let served = ServedModel(
            id: model.engine.description.modelID,
            displayName: model.engine.description.displayName,
            createdAt: model.createdAt,
            tokenizer: model.tokenizer,
            chatFormat: model.chatFormat
        )
        let api = MessagesAPI(model: served, scheduler: scheduler, configuration: settings, metrics: metrics)
        return Assembly(
            server: HTTPServer(handler: api, limits: configuration.limits),
            api: api,
            scheduler: scheduler,
            sampling: settings.defaultSampling
        )
    }

    static func schedulerConfiguration(_ configuration: Configuration) -> SchedulerConfiguration {
        var result = SchedulerConfiguration()
        result.stepTokenBudget = configuration.stepTokens
        if configuration.interTokenGoalMs > 0 {
            result.interTokenGoal = .milliseconds(configuration.interTokenGoalMs)
        }
        // The mock keeps to its configured rate.
        result.speculates = configuration.speculation && !configuration.mock
        result.maxRunningSessions = configuration.maxSessions
        result.maxWaitingSessions = configuration.maxWaiting
        result.cacheIdleLimit =
            configuration.cacheIdleMinutes > 0 ? .seconds(configuration.cacheIdleMinutes * 60) : nil
        result.memoryIdleLimit = min(result.memoryIdleLimit, result.cacheIdleLimit ?? result.memoryIdleLimit)
        result.readerStallLimit = .seconds(configuration.readerStallSeconds)
        return result
    }

    /// The prefix cache on disk, if configured.
    private static func storedBlocks(
        of engine: any InferenceEngine,
        _ configuration: Configuration
    ) throws -> StoredBlocks? {
        guard let folder = configuration.prefixCacheFolder, !configuration.mock,
            let engine = engine as? any BlockTransfer
        else { return nil }
        let files = try BlockFiles(
            folder: folder,
            maxBytes: configuration.prefixCacheBytes,
            identity: engine.blockIdentity + " " + programIdentity,
            blockTokens: engine.description.blockSize,
            blockBytes: engine.blockBytes,
            stateBytes: engine.description.stateMemory?.slotBytes ?? 0
        )
        return StoredBlocks(engine: engine, store: files)
    }

    /// Identifies this build of the program: another may compute other last bits.
    private static var programIdentity: String {
        var information = stat()
        guard let path = Bundle.main.executablePath, stat(path, &information) == 0 else { return Command.version }
        let time = information.modificationTime
        return "\(Command.version) \(information.st_size) \(time.tv_sec).\(time.tv_nsec)"
    }
}
