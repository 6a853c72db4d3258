import Tokenization

/// The usual formats of model families, for models that come without a template.
enum FamilyFormat: String, CaseIterable {
    case phi3, llama3, chatml, gemma, gemma4, llama2, mistral, tekken, plain

    /// The special tokens without which a format means nothing to a model.
    var tokens: [String] {
        switch self {
        case .phi3: ["<|end|>", "<|endoftext|>", "<|system|>", "<|user|>", "<|assistant|>"]
        case .llama3: ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
        case .chatml: ["<|im_start|>", "<|im_end|>"]
        case .gemma: ["<start_of_turn>", "<end_of_turn>"]
        case .gemma4: ["<|turn>", "<turn|>"]
        case .llama2, .mistral: ["<s>", "</s>"]
        case .tekken: ["<s>", "</s>", "[INST]", "[/INST]", "[SYSTEM_PROMPT]", "[/SYSTEM_PROMPT]"]
        case .plain: []
        }
    }

    /// The format of an architecture (`model_type`), if the vocabulary has what it needs; else one that the vocabulary
    /// was made for; else the plain one.
    static func of(_ architecture: String, _ tokenizer: Tokenizer) -> FamilyFormat {
        let own: [FamilyFormat] =
            switch architecture {
            case "phi3": [.phi3]
            case "llama": [.llama3, .chatml, .llama2]
            // Newer ones have the vocabulary that is called Tekken.
            case "mistral", "mistral3", "ministral3": [.chatml, .tekken, .mistral]
            // SmolLM 3 has Llama 3's vocabulary, its special tokens too.
            case "qwen2", "qwen3", "qwen3_moe", "qwen3_next", "qwen3_5", "qwen3_5_text", "qwen3_5_moe",
                "qwen3_5_moe_text", "smollm3", "lfm2", "lfm2_moe":
                [.chatml]
            case "gemma", "gemma2", "gemma3", "gemma3_text": [.gemma]
            case "gemma4", "gemma4_text", "gemma4_unified", "gemma4_unified_text": [.gemma4]
            default: []
            }
        let known: [FamilyFormat] = [.llama3, .chatml, .gemma, .gemma4, .phi3, .plain]
        return (own + known).first { $0.tokens.allSatisfy { tokenizer.specialToken($0) != nil } } ?? .plain
    }

    var template: String {
        switch self {
        case .llama3:
            """
            {{ bos_token | default('<|begin_of_text|>') }}
            {%- for message in messages -%}
            <|start_header_id|>{{ message.role }}<|end_header_id|>\\n\\n{{ message.content | trim }}<|eot_id|>
            {%- endfor -%}
            {%- if add_generation_prompt -%}<|start_header_id|>assistant<|end_header_id|>\\n\\n{%- endif -%}
            """.withLineBreaks
        case .chatml:
            """
            {%- for message in messages -%}
            <|im_start|>{{ message.role }}\\n{{ message.content }}<|im_end|>\\n
            {%- endfor -%}
            {%- if add_generation_prompt -%}<|im_start|>assistant\\n{%- endif -%}
            """.withLineBreaks
        case .gemma:
            """
            {%- if messages[0].role == 'system' %}{{ raise_exception('there is no system turn') }}{% endif -%}
            {{ bos_token | default('<bos>') }}
            {%- for message in messages -%}
            <start_of_turn>{{ 'model' if message.role == 'assistant' else 'user' }}\\n
            {{- message.content | trim }}<end_of_turn>\\n
            {%- endfor -%}
            {%- if add_generation_prompt -%}<start_of_turn>model\\n{%- endif -%}
            """.withLineBreaks
        case .gemma4:
            """
            {{ bos_token | default('<bos>') }}
            {%- for message in messages -%}
            <|turn>{{ 'model' if message.role == 'assistant' else message.role }}\\n
            {{- message.content | trim }}<turn|>\\n
            {%- endfor -%}
            {%- if add_generation_prompt -%}<|turn>model\\n{%- endif -%}
            """.withLineBreaks
        case .llama2: Self.instructions(system: "'<<SYS>>\\n' ~ system ~ '\\n<</SYS>>\\n\\n'", isSpaced: true)
        case .mistral: Self.instructions(system: "system ~ '\\n\\n'", isSpaced: false)
        case .tekken:
            """
            {{ bos_token | default('<s>') }}
            {%- for message in messages -%}
            {%- if message.role == 'system' -%}[SYSTEM_PROMPT]{{ message.content }}[/SYSTEM_PROMPT]
            {%- elif message.role == 'assistant' -%}{{ message.content ~ (eos_token | default('</s>')) }}
            {%- else -%}[INST]{{ message.content }}[/INST]
            {%- endif -%}
            {%- endfor -%}
            """
        case .phi3:
            """
            {%- for message in messages -%}
            <|{{ message.role }}|>\\n{{ message.content }}<|end|>\\n
            {%- endfor -%}
            {%- if add_generation_prompt -%}<|assistant|>\\n{%- endif -%}
            """.withLineBreaks
        case .plain:
            """
            {{ bos_token }}
            {%- for message in messages -%}
            {{ message.role | capitalize }}: {{ message.content }}\\n\\n
            {%- endfor -%}
            {%- if add_generation_prompt -%}Assistant:{%- endif -%}
            """.withLineBreaks
        }
    }

    /// `[INST] … [/INST] …`: users and assistants in turns, the system's text before the first user's.
    /// - Parameter system: an expression for that text.
    private static func instructions(system: String, isSpaced: Bool) -> String {
        let answer = isSpaced ? "{{ ' ' ~ (message.content | trim) ~ ' ' ~ eos }}" : "{{ message.content ~ eos }}"
        let start = isSpaced ? "{{ bos }}" : "{% if loop.first %}{{ bos }}{% endif %}"
        return """
            {%- set bos = bos_token | default('<s>') -%}
            {%- set eos = eos_token | default('</s>') -%}
            {%- set system = messages[0].content if messages[0].role == 'system' -%}
            {%- for message in (messages[1:] if system is defined else messages) -%}
            {%- if message.role == 'system' -%}{{ raise_exception('a system turn stands first') }}{%- endif -%}
            {%- if message.role == 'assistant' -%}\(answer)
            {%- else -%}
            \(start)[INST] {{ (\(system)) if loop.first and system is defined }}{{ message.content | trim }} [/INST]
            {%- endif -%}
            {%- endfor -%}
            """
    }
}

extension String {
    /// With `\n` spelled out as line breaks: templates trim those that are in their source.
    fileprivate var withLineBreaks: String { replacing("\\n", with: "{{ '\\n' }}") }
}
