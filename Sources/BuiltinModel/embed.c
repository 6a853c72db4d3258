// The files of the built-in model, embedded by the compiler.

#include "BuiltinModel.h"

#include <string.h>

#define FILE_BYTES alignas(64) static const unsigned char

FILE_BYTES config[] = {
#embed "model/config.json"
};
FILE_BYTES generation_config[] = {
#embed "model/generation_config.json"
};
FILE_BYTES tokenizer[] = {
#embed "model/tokenizer.json"
};
FILE_BYTES tokenizer_config[] = {
#embed "model/tokenizer_config.json"
};
FILE_BYTES weights[] = {
#embed "model/model.safetensors"
};

static const struct {
    const char *name;
    const unsigned char *bytes;
    size_t length;
} files[] = {
    {"config.json", config, sizeof config},
    {"generation_config.json", generation_config, sizeof generation_config},
    {"tokenizer.json", tokenizer, sizeof tokenizer},
    {"tokenizer_config.json", tokenizer_config, sizeof tokenizer_config},
    {"model.safetensors", weights, sizeof weights},
};

int pensieve_builtin_file(const char *name, const unsigned char **bytes, size_t *length) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(name, files[i].name) == 0) {
            *bytes = files[i].bytes;
            *length = files[i].length;
            return 1;
        }
    }
    return 0;
}
