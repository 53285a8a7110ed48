/* SPDX-License-Identifier: BSD-3-Clause */
/* status.c - codes, their texts, and the details of the latest failure in a thread-local buffer of fixed size.
 *
 *     message   what went wrong, where in the input, what to do  replaced by locum_fail
 *     trace     one "file:line: call" a line, innermost first    grown by locum_trace; excess lines are left out
 *
 * A message may be built from the buffer's own text ("rank 3: %s"), so it is formatted beside it and then copied. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/text.h"
#include "locum/dev/error.h"

enum { MESSAGE_SIZE = 1024, TRACE_SIZE = 4096 };

typedef struct failure {
    char message[MESSAGE_SIZE], trace[TRACE_SIZE];
    size_t trace_n; /**< bytes of trace in use, without the final 0 */
} failure;

static _Thread_local failure latest;

/* Never inlined: a TLS descriptor call (-mtls-dialect=gnu2) of an old dynamic loader may spoil vector registers, and
 * behind a function call the compiler expects that. */
__attribute__((noinline)) static failure *mine(void)
{
    return &latest;
}

static const struct {
    const char *name, *text;
    int exit_code;
} codes[] = {
#define CODE_ROW(code, exit_code, text) {#code, text, exit_code},
    LOCUM_STATUS_LIST(CODE_ROW)
#undef CODE_ROW
};

static int known(locum_status status)
{
    return (int)status >= 0 && (size_t)status < sizeof codes / sizeof codes[0];
}

const char *locum_status_name(locum_status status)
{
    return known(status) ? codes[status].name : "unknown status";
}

const char *locum_status_text(locum_status status)
{
    return known(status) ? codes[status].text : "unknown status";
}

int locum_status_exit_code(locum_status status)
{
    return known(status) ? codes[status].exit_code : 1;
}

const char *locum_status_message(void)
{
    return mine()->message;
}

const char *locum_status_trace(void)
{
    return mine()->trace;
}

void locum_status_clear(void)
{
    failure *f = mine();

    f->message[0] = f->trace[0] = 0;
    f->trace_n = 0;
}

/* one more line of the chain, cut where the buffer ends */
static void add_line(failure *f, const char *file, int line, const char *call)
{
    size_t room = sizeof f->trace - f->trace_n;
    int n = snprintf(f->trace + f->trace_n, room, "%s:%d%s%s\n", file, line, call[0] ? ": " : "", call);

    if (n < 0 || (size_t)n >= room)
        f->trace[f->trace_n] = 0; /* a line that does not fit is left out */
    else
        f->trace_n += (size_t)n;
}

/* a multi-byte character cut at the buffer's end would make invalid UTF-8 */
static void cut_whole_characters(char *text, size_t n)
{
    while (n > 0 && ((unsigned char)text[n - 1] & 0xC0) == 0x80) n--;
    if (n > 0 && ((unsigned char)text[n - 1] & 0x80)) n--;
    text[n] = 0;
}

locum_status locum_fail(locum_status status, const char *file, int line, const char *format, ...)
{
    char text[MESSAGE_SIZE];
    va_list list;

    va_start(list, format);
    int n = locum_format_list(text, sizeof text, format, list);
    va_end(list);
    if (n < 0) text[0] = 0;
    if (n >= (int)sizeof text) cut_whole_characters(text, sizeof text - 1);

    failure *f = mine();
    memcpy(f->message, text, sizeof text);
    f->trace[0] = 0;
    f->trace_n = 0;
    add_line(f, file, line, "");
    return status;
}

locum_status locum_trace(locum_status status, const char *file, int line, const char *call)
{
    add_line(mine(), file, line, call);
    return status;
}

locum_status locum_status_adopt(locum_status status, const char *message, const char *trace)
{
    failure *f = mine();
    size_t message_n = strnlen(message, sizeof f->message - 1), trace_n = strnlen(trace, sizeof f->trace - 1);

    memmove(f->message, message, message_n); /* the text may be this very buffer */
    f->message[message_n] = 0;
    memmove(f->trace, trace, trace_n);
    f->trace[trace_n] = 0;
    f->trace_n = trace_n;
    return status;
}
