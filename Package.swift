// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is held to the same rules: Swift 6 language mode, and a warning is an error.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .treatAllWarnings(as: .error),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(
    _ name: String,
    _ dependencies: [Target.Dependency],
    exclude: [String] = [],
    resources: [Resource] = []
) -> Target {
    .testTarget(
        name: name,
        dependencies: dependencies + ["Support"],
        exclude: exclude,
        resources: resources,
        swiftSettings: strict
    )
}

let package = Package(
    name: "pensieve",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "pensieve", targets: ["pensieve"]),
        .executable(name: "pensieve-load", targets: ["pensieve-load"]),
    ],
    targets: [
        // Programs.
        .executableTarget(
            name: "pensieve",
            dependencies: [
                "MessagesAPI", "HTTPFront", "Scheduling", "EngineContract", "Inference", "Constraints", "ModelFiles",
                "ModelHub",
                "Chat", "Templates", "Tokenization", "JSON", "BlockFiles", "BuiltinModel", "APIClient", "Console",
                "Platform",
            ],
            exclude: ["Pensieve.docc"],
            swiftSettings: strict
        ),
        .executableTarget(name: "pensieve-load", dependencies: ["LoadTest"], swiftSettings: strict),
        module("LoadTest", ["APIClient", "Console", "JSON", "Platform"]),
        module("APIClient", ["JSON", "Platform"]),
        module("Console"),

        // The way of a request, downward.
        module(
            "MessagesAPI",
            [
                "HTTPFront", "Scheduling", "EngineContract", "Constraints", "Chat", "Templates", "Tokenization", "JSON",
                "WebPage",
                "Platform",
            ]
        ),
        module("HTTPFront", ["Platform", "CLinux"]),
        module("Scheduling", ["EngineContract"]),
        module("Constraints", ["EngineContract", "JSON"]),
        module("BlockFiles", ["Scheduling", "EngineContract", "Hashing", "Platform"]),
        module("EngineContract"),
        module("Inference", ["EngineContract", "ModelFiles", "Hashing", "CKernels", "COpenBLAS", "Platform"]),
        module("ModelFiles", ["CKernels", "JSON", "Platform"]),
        module("ModelHub", ["ModelFiles", "Hashing", "Console", "JSON", "Platform"]),
        module("Hashing", ["CKernels"]),
        module("Chat", ["Templates", "Tokenization", "JSON"]),
        module("Templates"),
        module("Tokenization", ["JSON"]),
        module("JSON"),
        module("Platform", [.target(name: "CLinux", condition: .when(platforms: [.linux]))]),

        // C: kernels, shims, and the bytes of the built-in model and of the chat page.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "BuiltinModel", exclude: ["Training"], cSettings: [.unsafeFlags(["-std=c23"])]),
        .target(name: "WebPage", cSettings: [.unsafeFlags(["-std=c23"])]),
        .systemLibrary(name: "CLinux"),
        .systemLibrary(name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),

        // For the scripts in Benchmarks that compare with the reference.
        .executableTarget(
            name: "tokenizer-probe",
            dependencies: ["Tokenization"],
            path: "Benchmarks/TokenizerProbe",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "logits-probe",
            dependencies: ["Inference", "EngineContract", "ModelFiles"],
            path: "Benchmarks/LogitsProbe",
            swiftSettings: strict
        ),

        // Runs MaskBench, for Benchmarks/maskbench.py.
        .executableTarget(
            name: "mask-bench",
            dependencies: ["Constraints", "EngineContract", "JSON"],
            path: "Benchmarks/MaskBench",
            swiftSettings: strict
        ),

        // Holds the kernels against what the machine can do.
        .executableTarget(
            name: "kernel-benchmark",
            dependencies: ["CKernels", "EngineContract", "Inference"],
            path: "Benchmarks/Kernels",
            swiftSettings: strict
        ),

        // Tests, one target for each module.
        .target(name: "Support", path: "Tests/Support", swiftSettings: strict),
        tests("PlatformTests", ["Platform"]),
        tests("HTTPFrontTests", ["HTTPFront", "Platform"]),
        tests(
            "MessagesAPITests",
            ["MessagesAPI", "HTTPFront", "Scheduling", "EngineContract", "Chat", "Tokenization", "JSON"]
        ),
        tests("SchedulingTests", ["Scheduling", "EngineContract"]),
        tests(
            "InferenceTests",
            [
                "Inference", "Scheduling", "EngineContract", "Constraints", "ModelFiles", "CKernels", "Platform",
                "JSON",
            ],
            exclude: ["Scripts"],
            resources: [.copy("Fixtures")]
        ),
        tests("ConstraintsTests", ["Constraints", "EngineContract", "JSON"], exclude: ["Fixtures", "Scripts"]),
        tests("ModelFilesTests", ["ModelFiles"]),
        tests("ModelHubTests", ["ModelHub", "Hashing", "CKernels"]),
        tests("BlockFilesTests", ["BlockFiles", "Scheduling", "EngineContract"]),
        tests("ChatTests", ["Chat", "Templates", "Tokenization", "JSON"], exclude: ["Fixtures", "Scripts"]),
        tests("TemplatesTests", ["Templates"], exclude: ["Fixtures", "Scripts"]),
        tests("TokenizationTests", ["Tokenization", "tokenizer-probe"], exclude: ["Fixtures", "Scripts"]),
        tests("JSONTests", ["JSON"]),
        tests("LoadTests", ["LoadTest", "APIClient"]),
        tests("APIClientTests", ["APIClient"]),
        tests(
            "ServerTests",
            ["pensieve", "Inference", "ModelFiles", "ModelHub", "Chat", "Tokenization", "Hashing"],
            resources: [.copy("Python")]
        ),
    ]
)
