// Drives llama.cpp, or ik_llama.cpp (-DIK), through its library alone, which takes half the time to build that its programs
// do.
//
// usage: engine MODEL THREADS speed REPEATS PROMPTS SESSIONS CONTEXTS DECODED
//        engine MODEL THREADS logits KV < SEQUENCES > LOGITS
//
// speed: as llama-batched-bench measures, with the same settings: tokens per second of prompts of so many tokens, the median of
// REPEATS (at most 9), and of steps of so many sessions, each with keys and values of its own, after so many tokens; numbers
// by commas, as JSON. The step in which a prompt is copied to all sessions does not count, also in models that cannot go back
// by a token.
// logits: for each line of tokens, their number and the vocabulary's as int32, and the logits of all of them as float32.
// KV is f16, q8_0 or q4_0. With ik_llama.cpp one token at a time: its products of many tokens with Q4_1 are far off (a KL
// divergence of 1.0 for SmolLM2, whether or not it repacks tensors and with or without flash attention; of one token 3.0e-3).
#include <llama.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEP = 512, MOST = 64, LONGEST = 1 << 16, MOST_REPEATS = 9 };
#ifdef IK
enum { LOGITS_STEP = 1 };
#else
enum { LOGITS_STEP = STEP };
#endif

#ifdef IK
#define memory_of(context) (context)
#define memory_clear(memory) llama_kv_cache_clear(memory)
#define vocabulary_size(model) llama_n_vocab(model)
#else
#define memory_of(context) llama_get_memory(context)
#define memory_clear(memory) llama_memory_clear(memory, false)
#define vocabulary_size(model) llama_vocab_n_tokens(llama_model_get_vocab(model))
#endif

static double seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void fail(const char *what) {
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void silent(enum ggml_log_level level, const char *text, void *context) {
    (void)context;
    if (level == GGML_LOG_LEVEL_ERROR) fputs(text, stderr);
}

typedef struct engine {
    struct llama_model *model;
    struct llama_context *context;
    struct llama_batch batch;
    int threads;
    int vocabulary;
    enum ggml_type kv;
} engine;

/// A context in which each of some sequences has room for `tokens` tokens.
static void start(engine *e, int sequences, int tokens) {
    struct llama_context_params parameters = llama_context_default_params();
    parameters.n_seq_max = (uint32_t)sequences;
    parameters.n_ctx = parameters.n_seq_max * (uint32_t)((tokens + 255) / 256 * 256);
    parameters.n_batch = parameters.n_ubatch = STEP;
    parameters.n_threads = parameters.n_threads_batch = (__typeof__(parameters.n_threads))e->threads;
    parameters.type_k = parameters.type_v = e->kv;
#ifdef IK
    parameters.flash_attn = true;
#else
    parameters.flash_attn_type = LLAMA_FLASH_ATTN_TYPE_ENABLED;
    parameters.kv_unified = false;
#endif
    if (e->context != NULL) llama_free(e->context);
    e->context = llama_init_from_model(e->model, parameters);
    if (e->context == NULL) fail("no context");
}

static void add(engine *e, int token, int position, int sequence, bool wanted) {
    struct llama_batch *batch = &e->batch;
    int i = batch->n_tokens++;
    batch->token[i] = token;
    batch->pos[i] = position;
    batch->n_seq_id[i] = 1;
    batch->seq_id[i][0] = sequence;
    batch->logits[i] = wanted;
}

static void compute(engine *e) {
    if (llama_decode(e->context, e->batch) != 0) fail("llama_decode failed");
    llama_synchronize(e->context);
}

/// Computes a prompt of random tokens. Returns tokens per second.
static double prefill(engine *e, int count, int sequence) {
    double begin = seconds();
    for (int first = 0; first < count; first += STEP) {
        int end = first + STEP < count ? first + STEP : count;
        e->batch.n_tokens = 0;
        for (int t = first; t < end; t++) add(e, rand() % e->vocabulary, t, sequence, t == count - 1);
        compute(e);
    }
    return count / (seconds() - begin);
}

static int compare(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return (difference > 0) - (difference < 0);
}

/// The median of the speeds of some prompts of so many tokens.
static double median_prefill(engine *e, int count, int repeats) {
    double speeds[MOST_REPEATS];
    for (int k = 0; k < repeats; k++) {
        memory_clear(memory_of(e->context));
        speeds[k] = prefill(e, count, 0);
    }
    qsort(speeds, (size_t)repeats, sizeof speeds[0], compare);
    return (speeds[(repeats - 1) / 2] + speeds[repeats / 2]) / 2;
}

/// Tokens per second of `count` steps of some sequences, after one that counts for nothing.
static double decode(engine *e, int position, int first, int end, int count) {
    double begin = 0;
    for (int t = 0; t <= count; t++) {
        e->batch.n_tokens = 0;
        for (int s = first; s < end; s++) add(e, rand() % e->vocabulary, position + t, s, true);
        compute(e);
        if (t == 0) begin = seconds();
    }
    return (end - first) * count / (seconds() - begin);
}

/// What stands between commas, or "none".
static int numbers(const char *text, int *values) {
    int count = 0;
    if (strcmp(text, "none") == 0) return 0;
    for (char *end; *text != 0 && count < MOST; text = *end == ',' ? end + 1 : end) values[count++] = (int)strtol(text, &end, 10);
    return count;
}

static void measure(engine *e, char **arguments) {
    int repeats = atoi(arguments[0]), prompts[MOST], sessions[MOST], contexts[MOST];
    int prompt_count = numbers(arguments[1], prompts), session_count = numbers(arguments[2], sessions);
    int context_count = numbers(arguments[3], contexts), decoded = atoi(arguments[4]), all = 0;
    if (repeats < 1 || repeats > MOST_REPEATS) fail("see the head of engine.c");
    for (int i = 0; i < session_count; i++) all += sessions[i];
    printf("{\"prefill\": {");
    for (int i = 0; i < prompt_count; i++) {
        start(e, 1, prompts[i]);
        // The first step touches weights, which is part of loading.
        prefill(e, 16, 0);
        printf("%s\"%d\": %f", i > 0 ? ", " : "", prompts[i], median_prefill(e, prompts[i], repeats));
    }
    printf("}, \"decode\": {");
    for (int i = 0; i < context_count; i++) {
#ifndef IK
        start(e, all, contexts[i] + decoded + 1);
        prefill(e, 16, 0);
        memory_clear(memory_of(e->context));
        prefill(e, contexts[i], 0);
        for (int s = 1; s < all; s++) llama_memory_seq_cp(memory_of(e->context), 0, s, -1, -1);
#endif
        for (int k = 0, first = 0; k < session_count; first += sessions[k++]) {
#ifdef IK
            // All sequences share its memory, and copies would share the prompt's.
            start(e, sessions[k], contexts[i] + decoded + 1);
            first = 0;
            for (int s = 0; s < sessions[k]; s++) prefill(e, contexts[i], s);
#endif
            double speed = decode(e, contexts[i], first, first + sessions[k], decoded);
            printf("%s\"%d at %d\": %f", i + k > 0 ? ", " : "", sessions[k], contexts[i], speed);
        }
    }
    printf("}}\n");
}

static void write_logits(engine *e) {
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        static int32_t tokens[LONGEST];
        int32_t counts[2] = {0, e->vocabulary};
        for (char *at = line, *end; counts[0] < LONGEST; at = end) {
            long token = strtol(at, &end, 10);
            if (end == at) break;
            tokens[counts[0]++] = (int32_t)token;
        }
        start(e, 1, counts[0]);
        fwrite(counts, sizeof counts, 1, stdout);
        for (int first = 0; first < counts[0]; first += LOGITS_STEP) {
            e->batch.n_tokens = 0;
            for (int t = first; t < counts[0] && t < first + LOGITS_STEP; t++) add(e, tokens[t], t, 0, true);
            compute(e);
            for (int i = 0; i < e->batch.n_tokens; i++)
                fwrite(llama_get_logits_ith(e->context, i), sizeof(float), (size_t)e->vocabulary, stdout);
        }
    }
}

static enum ggml_type kv_type(const char *name) {
    if (strcmp(name, "q8_0") == 0) return GGML_TYPE_Q8_0;
    if (strcmp(name, "q4_0") == 0) return GGML_TYPE_Q4_0;
    if (strcmp(name, "f16") != 0) fail("KV is f16, q8_0 or q4_0");
    return GGML_TYPE_F16;
}

int main(int count, char **arguments) {
    bool is_speed = count == 9 && strcmp(arguments[3], "speed") == 0;
    if (!is_speed && !(count == 5 && strcmp(arguments[3], "logits") == 0)) fail("see the head of engine.c");
    llama_log_set(silent, NULL);
    llama_backend_init();
    struct llama_model_params parameters = llama_model_default_params();
#ifdef IK
    parameters.repack_tensors = true;
#endif
    engine e = {.model = llama_model_load_from_file(arguments[1], parameters), .threads = atoi(arguments[2]), .kv = GGML_TYPE_F16};
    if (e.model == NULL) fail("no model");
    e.vocabulary = vocabulary_size(e.model);
    e.batch = llama_batch_init(STEP, 0, 1);
    if (is_speed) {
        measure(&e, arguments + 4);
    } else {
        e.kv = kv_type(arguments[4]);
        write_logits(&e);
    }
    return 0;
}
