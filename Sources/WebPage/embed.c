// The files of the chat page, put into the program by the compiler. (SwiftPM's own way of embedding writes an array
// literal in Swift, which takes the compiler some twenty seconds for a page like this.)

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
static const unsigned char inline[] = {
#embed "page/inline.js"
};
static const unsigned char markdown[] = {
#embed "page/markdown.js"
};
static const unsigned char highlight[] = {
#embed "page/highlight.js"
};
static const unsigned char client[] = {
#embed "page/client.js"
};
static const unsigned char store[] = {
#embed "page/store.js"
};
static const unsigned char thread[] = {
#embed "page/thread.js"
};
static const unsigned char conversations[] = {
#embed "page/conversations.js"
};
static const unsigned char asking[] = {
#embed "page/asking.js"
};
static const unsigned char controls[] = {
#embed "page/controls.js"
};
static const unsigned char app[] = {
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
    {"inline.js", inline, sizeof inline},
    {"markdown.js", markdown, sizeof markdown},
    {"highlight.js", highlight, sizeof highlight},
    {"client.js", client, sizeof client},
    {"store.js", store, sizeof store},
    {"thread.js", thread, sizeof thread},
    {"conversations.js", conversations, sizeof conversations},
    {"asking.js", asking, sizeof asking},
    {"controls.js", controls, sizeof controls},
    {"app.js", app, sizeof app},
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
