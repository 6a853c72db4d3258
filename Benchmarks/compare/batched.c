// Measures llama.cpp as llama-batched-bench does, with the same settings, but links with libllama alone, which takes half the
// time to build; computes the prompt once; and does not count the step in which it is copied to all sequences, also in
// models that cannot go back by a token.
//
// usage: batched MODEL THREADS PROMPT DECODED SEQUENCES
// Prints tokens per second as JSON: of the prompt, and of decoding after it in one sequence and in several.
#include <llama.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void add(struct llama_batch *batch, int vocabulary, int position, int sequence, bool wanted) {
    int i = batch->n_tokens++;
    batch->token[i] = rand() % vocabulary;
    batch->pos[i] = position;
    batch->n_seq_id[i] = 1;
    batch->seq_id[i][0] = sequence;
    batch->logits[i] = wanted;
}

static void compute(struct llama_context *context, struct llama_batch batch) {
    if (llama_decode(context, batch) != 0) {
        fputs("llama_decode failed\n", stderr);
        exit(1);
    }
    llama_synchronize(context);
}

/// Tokens per second of `count` steps of some sequences, after one that counts for nothing.
static double decode(
    struct llama_context *context, struct llama_batch *batch, int vocabulary, int position, int first, int end, int count) {
    double start = 0;
    for (int t = 0; t <= count; t++) {
        batch->n_tokens = 0;
        for (int s = first; s < end; s++) add(batch, vocabulary, position + t, s, true);
        compute(context, *batch);
        if (t == 0) start = seconds();
    }
    return (end - first) * count / (seconds() - start);
}

static void silent(enum ggml_log_level level, const char *text, void *context) {
    (void)context;
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    int threads = atoi(arguments[2]), prompt = atoi(arguments[3]), decoded = atoi(arguments[4]), most = atoi(arguments[5]);
    llama_log_set(silent, NULL);
    llama_backend_init();
    struct llama_model *model = llama_model_load_from_file(arguments[1], llama_model_default_params());
    if (model == NULL) return 1;
    struct llama_context_params parameters = llama_context_default_params();
    // The first sequence decodes by itself. Each has room for a multiple of 256 tokens.
    parameters.n_seq_max = (uint32_t)most + 1;
    parameters.n_ctx = parameters.n_seq_max * (uint32_t)((prompt + decoded + 1 + 255) / 256 * 256);
    parameters.n_batch = parameters.n_ubatch = 512;
    parameters.n_threads = parameters.n_threads_batch = threads;
    parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    parameters.kv_unified = false;
    struct llama_context *context = llama_init_from_model(model, parameters);
    if (context == NULL) return 1;
    int vocabulary = llama_vocab_n_tokens(llama_model_get_vocab(model));
    struct llama_batch batch = llama_batch_init(512 > most ? 512 : most, 0, 1);
    llama_memory_t memory = llama_get_memory(context);
    // The first step touches weights, which is part of loading.
    decode(context, &batch, vocabulary, 0, 0, 1, 1);
    llama_memory_clear(memory, false);
    double start = seconds();
    for (int first = 0; first < prompt; first += 512) {
        int end = first + 512 < prompt ? first + 512 : prompt;
        batch.n_tokens = 0;
        for (int t = first; t < end; t++) add(&batch, vocabulary, t, 0, t == prompt - 1);
        compute(context, batch);
    }
    double speed = prompt / (seconds() - start);
    for (int s = 1; s <= most; s++) llama_memory_seq_cp(memory, 0, s, -1, -1);
    double one = decode(context, &batch, vocabulary, prompt, 0, 1, decoded);
    double all = decode(context, &batch, vocabulary, prompt, 1, most + 1, decoded);
    printf("{\"prefill\": %f, \"decode 1\": %f, \"decode %d\": %f}\n", speed, one, most, all);
    return 0;
}
