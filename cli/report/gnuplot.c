/* SPDX-License-Identifier: BSD-3-Clause */
/* gnuplot.c - a child process per picture: the script on a temporary file as its input, its picture through a pipe,
 * its complaints in another temporary file. Nothing is written to a pipe, so nothing can block or raise SIGPIPE; the
 * user's ~/.gnuplot is not read. */
#include "cli/report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

typedef struct child {
    FILE *script, *complaints;
    int pipe[2]; /* read, write */
    pid_t pid;
} child;

static locum_status begin(child *c, const locum_text *script)
{
    *c = (child){.pipe = {-1, -1}, .pid = -1};
    c->script = tmpfile();
    c->complaints = tmpfile();
    LOCUM_REQUIRE(c->script && c->complaints && !pipe2(c->pipe, O_CLOEXEC), LOCUM_IO,
                  "no temporary file or pipe for gnuplot: %s", strerror(errno));
    LOCUM_REQUIRE(fwrite(script->data, 1, script->size, c->script) == script->size && !fflush(c->script), LOCUM_IO,
                  "cannot write a script for gnuplot: %s", strerror(errno));
    rewind(c->script);
    return LOCUM_OK;
}

static locum_status spawn(child *c)
{
    char *const words[] = {"gnuplot", "-d", "-", NULL};
    posix_spawn_file_actions_t actions;
    int fault = posix_spawn_file_actions_init(&actions);
    if (!fault) {
        fault = posix_spawn_file_actions_adddup2(&actions, fileno(c->script), 0);
        if (!fault) fault = posix_spawn_file_actions_adddup2(&actions, c->pipe[1], 1);
        if (!fault) fault = posix_spawn_file_actions_adddup2(&actions, fileno(c->complaints), 2);
        if (!fault) fault = posix_spawnp(&c->pid, words[0], &actions, NULL, words, environ);
        posix_spawn_file_actions_destroy(&actions);
    }
    if (fault) c->pid = -1;
    LOCUM_REQUIRE(fault != ENOENT && fault != EACCES, LOCUM_NOT_BUILT,
                  "gnuplot is not installed (Debian: apt install gnuplot-nox)");
    LOCUM_REQUIRE(!fault, LOCUM_IO, "cannot start gnuplot: %s", strerror(fault));
    close(c->pipe[1]);
    c->pipe[1] = -1;
    return LOCUM_OK;
}

static locum_status capture(child *c, locum_text *out)
{
    char block[16384];
    for (;;) {
        ssize_t n = read(c->pipe[0], block, sizeof block);
        if (n < 0 && errno == EINTR) continue;
        LOCUM_REQUIRE(n >= 0, LOCUM_IO, "cannot read from gnuplot: %s", strerror(errno));
        if (n == 0) return out->status;
        locum_text_bytes(out, block, (size_t)n);
    }
}

/* its exit code, and its first words if it failed */
static locum_status finish(child *c)
{
    int answer = 0;
    char words[200] = "";
    while (waitpid(c->pid, &answer, 0) < 0)
        if (errno != EINTR) return LOCUM_FAIL(LOCUM_IO, "gnuplot was lost: %s", strerror(errno));
    if (WIFEXITED(answer) && WEXITSTATUS(answer) == 0) return LOCUM_OK;
    if (WIFEXITED(answer) && WEXITSTATUS(answer) == 127)
        return LOCUM_FAIL(LOCUM_NOT_BUILT, "gnuplot is not installed (Debian: apt install gnuplot-nox)");
    rewind(c->complaints);
    words[fread(words, 1, sizeof words - 1, c->complaints)] = 0;
    for (char *w = words; *w; w++)
        if (*w == '\n') *w = ' ';
    return LOCUM_FAIL(LOCUM_IO, "gnuplot refused its script: %s", words);
}

locum_status gnuplot_draw(const locum_text *script, locum_text *out)
{
    child c;
    LOCUM_TRY(script->status);
    locum_status st = begin(&c, script);
    if (!st) st = spawn(&c);
    if (!st) st = capture(&c, out);
    for (int i = 0; i < 2; i++)
        if (c.pipe[i] >= 0) close(c.pipe[i]);
    if (c.pid > 0) {
        locum_status ended = finish(&c);
        if (!st) st = ended;
    }
    if (c.script) fclose(c.script);
    if (c.complaints) fclose(c.complaints);
    return st;
}

void gnuplot_string(locum_text *script, const char *string)
{
    locum_text_add(script, "'");
    for (const char *c = string; *c; c++) {
        if (*c == '\'')
            locum_text_add(script, "''");
        else if ((unsigned char)*c < 32)
            locum_text_add(script, " ");
        else
            locum_text_bytes(script, c, 1);
    }
    locum_text_add(script, "'");
}
