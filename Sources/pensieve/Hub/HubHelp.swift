/// The help pages of the commands for models.
enum HubHelp {
    static let pull = """
        Fetches a model from a hub into the cache, or brings it up to date, and prints
        its path.

        usage: pensieve pull ORG/NAME[@revision][:QUANT]

        What is fetched is what serves: config.json, tokenizer, chat template and
        *.safetensors, or of a repository of GGUF files the one with the quantisation
        QUANT (all its parts). Without QUANT that is Q4_K_M, or else the smallest of
        4 bits, and so on upward.

        A pull that was interrupted, by Ctrl-C too, goes on where it was. Every file is
        checked (size, SHA-256) before it gets its name. The cache is the one of the
        huggingface_hub package: what is there is found, and what is fetched here is
        found by other programs.

        environment:
          HF_HOME, HF_HUB_CACHE   where the cache is (~/.cache/huggingface, hub in it)
          HF_ENDPOINT             another hub than https://huggingface.co
          HF_TOKEN                for private and gated models (or HF_HOME/token)
          HF_HUB_OFFLINE=1        only what is in the cache

        examples:
          pensieve pull mlx-community/Phi-3-mini-4k-instruct-4bit
          pensieve pull bartowski/Phi-3.5-mini-instruct-GGUF:Q6_K
          pensieve start bartowski/Phi-3.5-mini-instruct-GGUF:Q6_K
        """

    static let models = """
        Lists the models in the cache with their size, quantisation and architecture.

        usage: pensieve models [--json]

        The names in the first column are what --model, pull, inspect and remove take.

        examples:
          pensieve models
          pensieve models --json
        """

    static let remove = """
        Removes a model from the cache, with all contents that no other model needs.

        usage: pensieve remove ORG/NAME[@revision][:QUANT] [--yes]

        A plain name removes everything of the model; a revision or a quantisation only
        that.

          --yes                         do not ask

        examples:
          pensieve remove mlx-community/Phi-3-mini-4k-instruct-4bit
          pensieve remove bartowski/Phi-3.5-mini-instruct-GGUF:Q6_K --yes
        """

    static let inspect = """
        Prints what a model is and what it needs, without loading it.

        usage: pensieve inspect [MODEL] [--kv-type TYPE] [--json]

        MODEL is a folder, a .gguf file, or ORG/NAME[@revision][:QUANT] in the cache;
        without it, the built-in model. Printed: architecture, parameters, how each kind
        of tensor is stored, context, KV memory for each token, memory for 1, 8 and 32
        sessions, and the chat template as it writes a short example. --kv-type is that
        of start.

        examples:
          pensieve inspect
          pensieve inspect mlx-community/Phi-3-mini-4k-instruct-4bit --kv-type f16
          pensieve inspect model.gguf --json
        """
}
