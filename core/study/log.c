/* SPDX-License-Identifier: BSD-3-Clause */
/* log.c - lines and progress on stderr, the same with time stamps in a file, and metrics.
 *
 * A bar is redrawn at most ten times a second and wiped before any other line. Without a terminal a plain line appears
 * every 5 s and at the end. The log file gets a line of progress every 30 s. */
#include "core/study/log.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"
#include "core/text.h"

struct locum_log {
    locum_log_level level;
    bool terminal;
    int file;                 /**< -1 = none */
    locum_progress *progress; /**< lent; the bar that stands on the terminal, or NULL */
};

double locum_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double locum_work_clock(void)
{
    struct timespec now;
    struct rusage programs;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    getrusage(RUSAGE_CHILDREN, &programs);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec +
           (double)(programs.ru_utime.tv_sec + programs.ru_stime.tv_sec) +
           1e-6 * (double)(programs.ru_utime.tv_usec + programs.ru_stime.tv_usec);
}

/* the length that lies in the buffer: longer text is cut */
static size_t print_text(char *out, size_t size, const char *format, va_list arguments)
{
    int n = locum_format_list(out, size, format, arguments);
    if (n < 0) out[0] = 0;
    return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}

static void write_file(int file, const char *bytes, size_t n)
{
    while (n > 0) { /* a log that cannot be written stops no work */
        ssize_t done = write(file, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return;
        bytes += done;
        n -= (size_t)done;
    }
}

locum_status locum_log_create(locum_log_level level, locum_log **log)
{
    LOCUM_TRY(LOCUM_NEW(log, 1));
    (*log)->level = level;
    (*log)->terminal = isatty(STDERR_FILENO) == 1;
    (*log)->file = -1;
    return LOCUM_OK;
}

locum_status locum_log_file(locum_log *log, const char *path)
{
    if (!log) return LOCUM_OK;
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (file < 0) return LOCUM_FAIL(LOCUM_IO, "%s: cannot write the log: %s", path, strerror(errno));
    if (log->file >= 0) close(log->file);
    log->file = file;
    return LOCUM_OK;
}

void locum_log_destroy(locum_log *log)
{
    if (!log) return;
    if (log->file >= 0) close(log->file);
    free(log);
}

/* ---- lines ---- */

static void file_line(locum_log *log, const char *text)
{
    char stamp[32], line[2200];
    if (log->file < 0) return;
    time_t now = time(NULL);
    struct tm local;
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S%z", localtime_r(&now, &local));
    int n = snprintf(line, sizeof line, "%s  %s\n", stamp, text);
    if (n >= (int)sizeof line) line[sizeof line - 2] = '\n', n = sizeof line - 1;
    write_file(log->file, line, (size_t)n);
}

static void screen_line(locum_log *log, const char *text)
{
    bool bar = log->progress && log->progress->drawn;
    fprintf(stderr, "%s%s\n", bar ? "\r\033[K" : "", text);
    if (bar) {
        log->progress->drawn = false;
        log->progress->printed = 0; /* draw it again at the next update */
    }
}

void locum_log_line(locum_log *log, const char *format, ...)
{
    char text[2048];
    if (!log) return;
    va_list arguments;
    va_start(arguments, format);
    print_text(text, sizeof text, format, arguments);
    va_end(arguments);
    if (log->level >= LOCUM_LOG_NORMAL) screen_line(log, text);
    file_line(log, text);
}

void locum_log_detail(locum_log *log, const char *format, ...)
{
    char text[2048];
    if (!log || log->level < LOCUM_LOG_VERBOSE) return;
    va_list arguments;
    va_start(arguments, format);
    print_text(text, sizeof text, format, arguments);
    va_end(arguments);
    screen_line(log, text);
    file_line(log, text);
}

void locum_log_warn(locum_log *log, const char *format, ...)
{
    char text[2048] = "warning: ";
    if (!log) return;
    va_list arguments;
    va_start(arguments, format);
    print_text(text + 9, sizeof text - 9, format, arguments);
    va_end(arguments);
    screen_line(log, text);
    file_line(log, text);
}

/* ---- progress ---- */

static void duration_text(double seconds, char *out, size_t size)
{
    long s = seconds < 1e9 ? lround(seconds) : 1000000000;
    if (s < 60)
        snprintf(out, size, "%lds", s);
    else if (s < 3600)
        snprintf(out, size, "%ldm%02lds", s / 60, s % 60);
    else if (s < 86400)
        snprintf(out, size, "%ldh%02ldm", s / 3600, s / 60 % 60);
    else
        snprintf(out, size, "%ldd%02ldh", s / 86400, s / 3600 % 24);
}

/* "  42 %  12/30  1m03s left": what both forms share */
static void state_text(const locum_progress *p, double now, char *out, size_t size)
{
    char time_text[32], counts[64] = "";
    double gained = p->done - p->already, elapsed = now - p->started;
    double part = p->total > 0 ? p->done / p->total : 1;
    part = part < 0 ? 0 : part > 1 ? 1 : part;
    bool ended = p->done >= p->total;
    duration_text(ended        ? elapsed
                  : gained > 0 ? elapsed * (p->total - p->done) / gained
                               : 0,
                  time_text, sizeof time_text);
    if (p->total == floor(p->total) && p->total < 1e15)
        snprintf(counts, sizeof counts, "  %lld/%lld", (long long)p->done, (long long)p->total);
    snprintf(out, size, "%3d %%%s  %s%s", (int)(100 * part), counts, ended || gained > 0 ? time_text : "",
             ended        ? ""
             : gained > 0 ? " left"
                          : "no estimate yet");
}

static int terminal_columns(void)
{
    struct winsize window;
    if (!ioctl(STDERR_FILENO, TIOCGWINSZ, &window) && window.ws_col >= 20) return window.ws_col;
    return 80;
}

static void draw_bar(locum_progress *p, double now, const char *text)
{
    char bar[21], state[160], line[512];
    double part = p->total > 0 ? p->done / p->total : 1;
    int filled = (int)(20 * (part < 0 ? 0 : part > 1 ? 1 : part));
    for (int i = 0; i < 20; i++) bar[i] = i < filled ? '#' : ' ';
    bar[20] = 0;
    state_text(p, now, state, sizeof state);
    snprintf(line, sizeof line, "%s [%s] %s  %s", p->what, bar, state, text);
    fprintf(stderr, "\r%.*s\033[K", terminal_columns() - 1, line);
    p->drawn = true;
    p->printed = now;
}

static void plain_text(const locum_progress *p, double now, const char *text, char *line, size_t size)
{
    char state[160];
    state_text(p, now, state, sizeof state);
    snprintf(line, size, "%s %s%s%s", p->what, state, text[0] ? "  " : "", text);
}

void locum_progress_begin(locum_progress *progress, locum_log *log, const char *what, double total, double already)
{
    double now = locum_clock();
    *progress = (locum_progress){.log = log, .total = total, .done = already, .already = already, .started = now};
    snprintf(progress->what, sizeof progress->what, "%s", what);
    progress->filed = now;
    if (log && log->terminal)
        log->progress = progress;
    else
        progress->printed = now;
}

void locum_progress_update(locum_progress *progress, double done, const char *format, ...)
{
    char text[256], line[512];
    locum_log *log = progress->log;
    progress->done = done;
    if (!log) return;
    double now = locum_clock();
    bool screen = log->level >= LOCUM_LOG_NORMAL && now - progress->printed >= (log->terminal ? 0.1 : 5.0);
    bool file = log->file >= 0 && now - progress->filed >= 30.0;
    if (!screen && !file) return;
    va_list arguments;
    va_start(arguments, format);
    print_text(text, sizeof text, format, arguments);
    va_end(arguments);
    plain_text(progress, now, text, line, sizeof line);
    if (screen && log->terminal) {
        draw_bar(progress, now, text);
    } else if (screen) {
        fprintf(stderr, "%s\n", line);
        progress->printed = now;
    }
    if (file) {
        file_line(log, line);
        progress->filed = now;
    }
}

void locum_progress_end(locum_progress *progress)
{
    char line[512];
    locum_log *log = progress->log;
    if (!log) return;
    plain_text(progress, locum_clock(), "", line, sizeof line);
    if (log->level >= LOCUM_LOG_NORMAL) screen_line(log, line);
    file_line(log, line);
    if (log->progress == progress) log->progress = NULL;
    progress->log = NULL;
}

/* ---- metrics ---- */

struct locum_metrics {
    int file;
    char path[256]; /**< for messages */
};

/* cuts off what follows the last line feed: the rest of a line that a kill or a full disk tore */
static locum_status cut_torn_line(int file, const char *path)
{
    char piece[4096];
    off_t end = lseek(file, 0, SEEK_END), keep = 0;
    for (off_t last = end; last > 0 && !keep;) {
        size_t n = last < (off_t)sizeof piece ? (size_t)last : sizeof piece;
        last -= (off_t)n;
        if (pread(file, piece, n, last) != (ssize_t)n)
            return LOCUM_FAIL(LOCUM_IO, "%s: cannot be read: %s", path, strerror(errno));
        for (size_t i = n; i > 0 && !keep; i--) {
            if (piece[i - 1] == '\n') keep = last + (off_t)i;
        }
    }
    if (end < 0 || (keep != end && ftruncate(file, keep)))
        return LOCUM_FAIL(LOCUM_IO, "%s: its torn last line cannot be cut off: %s", path, strerror(errno));
    return LOCUM_OK;
}

locum_status locum_metrics_create(const char *path, bool append, locum_metrics **metrics)
{
    *metrics = NULL;
    int file = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (append ? 0 : O_TRUNC), 0666);
    if (file < 0) return LOCUM_FAIL(LOCUM_IO, "%s: cannot be written: %s", path, strerror(errno));
    locum_status st = append ? cut_torn_line(file, path) : LOCUM_OK;
    if (!st) st = LOCUM_NEW(metrics, 1);
    if (st) {
        close(file);
        return st;
    }
    (*metrics)->file = file;
    snprintf((*metrics)->path, sizeof(*metrics)->path, "%s", path);
    return LOCUM_OK;
}

static bool word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* length of a word nan, -nan, inf, -inf at in[i], 0 if there is none */
static size_t nonfinite_length(const char *in, size_t i)
{
    size_t sign = in[i] == '-';
    if (i && word_character(in[i - 1])) return 0;
    if (strncmp(in + i + sign, "nan", 3) && strncmp(in + i + sign, "inf", 3)) return 0;
    return word_character(in[i + sign + 3]) ? 0 : sign + 3;
}

/* `nan`, `-inf` outside of strings become null: JSON knows no such numbers. Returns the new length. */
static size_t null_for_nonfinite(const char *in, char *out)
{
    bool string = false;
    size_t n = 0;
    for (size_t i = 0; in[i];) {
        size_t nonfinite = string ? 0 : nonfinite_length(in, i);
        if (nonfinite) {
            memcpy(out + n, "null", 4);
            n += 4;
            i += nonfinite;
            continue;
        }
        if (string && in[i] == '\\' && in[i + 1])
            out[n++] = in[i++];
        else if (in[i] == '"')
            string = !string;
        out[n++] = in[i++];
    }
    return n;
}

locum_status locum_metrics_add(locum_metrics *metrics, const char *format, ...)
{
    char members[4096], line[4 * 4096 / 3 + 8];
    if (!metrics) return LOCUM_OK;
    va_list arguments;
    va_start(arguments, format);
    size_t n = print_text(members, sizeof members, format, arguments);
    va_end(arguments);
    LOCUM_REQUIRE(n < sizeof members - 1, LOCUM_ARG, "%s: a line of more than %zu bytes", metrics->path,
                  sizeof members - 2);
    line[0] = '{';
    n = 1 + null_for_nonfinite(members, line + 1);
    memcpy(line + n, "}\n", 2);
    ssize_t done;
    do done = write(metrics->file, line, n + 2);
    while (done < 0 && errno == EINTR);
    if (done == (ssize_t)n + 2) return LOCUM_OK;
    locum_status st = LOCUM_FAIL(LOCUM_IO, "%s: cannot be written: %s", metrics->path,
                                 done < 0 ? strerror(errno) : "the disk is full");
    if (done > 0 && !cut_torn_line(metrics->file, metrics->path))
        st = LOCUM_FAIL(LOCUM_IO, "%s: cannot be written: the disk is full", metrics->path);
    return st;
}

void locum_metrics_destroy(locum_metrics *metrics)
{
    if (!metrics) return;
    close(metrics->file);
    free(metrics);
}
