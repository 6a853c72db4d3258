// The files of the chat page, embedded by the compiler. (SwiftPM's `embedInCode` generates a Swift array literal, which
// takes some twenty seconds to compile for a page of this size.)

#include "WebPage.h"

#include <string.h>

static const unsigned char html[] = {
#embed "page/page.html"
};
static const unsigned char style[] = {
#embed "page/page.css"
};
static const unsigned char mark[] = {
#embed "page/mark.svg"
};
static const unsigned char inline_js[] = {
#embed "page/inline.js"
};
static const unsigned char markdown_js[] = {
#embed "page/markdown.js"
};
static const unsigned char highlight_js[] = {
#embed "page/highlight.js"
};
static const unsigned char client_js[] = {
#embed "page/client.js"
};
static const unsigned char store_js[] = {
#embed "page/store.js"
};
static const unsigned char thread_js[] = {
#embed "page/thread.js"
};
static const unsigned char conversations_js[] = {
#embed "page/conversations.js"
};
static const unsigned char asking_js[] = {
#embed "page/asking.js"
};
static const unsigned char controls_js[] = {
#embed "page/controls.js"
};
static const unsigned char app_js[] = {
#embed "page/app.js"
};

static const struct {
    const char *name;
    const unsigned char *bytes;
    size_t length;
} files[] = {
    {"page.html", html, sizeof html},
    {"page.css", style, sizeof style},
    {"mark.svg", mark, sizeof mark},
    {"inline.js", inline_js, sizeof inline_js},
    {"markdown.js", markdown_js, sizeof markdown_js},
    {"highlight.js", highlight_js, sizeof highlight_js},
    {"client.js", client_js, sizeof client_js},
    {"store.js", store_js, sizeof store_js},
    {"thread.js", thread_js, sizeof thread_js},
    {"conversations.js", conversations_js, sizeof conversations_js},
    {"asking.js", asking_js, sizeof asking_js},
    {"controls.js", controls_js, sizeof controls_js},
    {"app.js", app_js, sizeof app_js},
};

int pensieve_page_file(const char *name, const unsigned char **bytes, size_t *length) {
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (strcmp(name, files[i].name) == 0) {
            *bytes = files[i].bytes;
            *length = files[i].length;
            return 1;
        }
    }
    return 0;
}
