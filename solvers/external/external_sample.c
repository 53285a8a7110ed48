/* SPDX-License-Identifier: BSD-3-Clause */
/* external_sample.c - one sample: its values into files, then the programs, one after the other.
 *
 * A program that ended well leaves `finished` with its words and values: a campaign that was killed before the sample
 * was stored does not run it again. Anything else in the folder is removed before the program starts. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/memory.h"
#include "solvers/external/external_internal.h"

static void write_entry(locum_text *out, bool json, bool first, const char *name)
{
    if (json) {
        locum_text_add(out, "%s", first ? "{" : ", ");
        locum_text_json_string(out, name);
        locum_text_add(out, ": ");
    } else {
        locum_text_add(out, "%s: ", name);
    }
}

static void write_number(locum_text *out, bool json, const char *name, double value)
{
    write_entry(out, json, false, name);
    (json ? locum_text_json_number : locum_text_number)(out, value);
    if (!json) locum_text_add(out, "\n");
}

/* flat, in the order of the study: YAML that is one `name: value` a line, or one JSON object */
static locum_status write_parameters(const external_job *job, bool json)
{
    const external_config *c = job->config;
    locum_text out = {0};

    write_entry(&out, json, true, "index");
    locum_text_add(&out, "%lld%s", (long long)job->index, json ? "" : "\n");
    write_entry(&out, json, false, "seed");
    locum_text_add(&out, "%llu%s", (unsigned long long)job->seed, json ? "" : "\n");
    if (!isnan(c->interval)) {
        write_number(&out, json, "until", c->until);
        write_number(&out, json, "interval", c->interval);
    }
    for (int p = 0; p < c->n_parameters; p++) write_number(&out, json, c->parameter_name[p], c->parameter[p]);
    if (json) locum_text_add(&out, "}\n");
    locum_status st = out.status;
    if (!st) st = locum_external_write(job->folder, json ? "parameters.json" : "parameters.yaml", out.data, out.size);
    locum_text_free(&out);
    return st;
}

/* how a program ended, if not well */
static locum_status judge(const external_job *job, const char *program, const external_outcome *o)
{
    char tail[240], words[96];

    if (o->stopped) return LOCUM_FAIL(LOCUM_STOPPED, "stopped while %s was running", program);
    if (!o->timed_out && !o->signal && o->exit_code == 0) return LOCUM_OK;
    if (o->timed_out)
        locum_format(words, sizeof words, "took longer than timeout: %g s and was ended", job->config->timeout);
    else if (o->signal)
        locum_format(words, sizeof words, "was ended by signal %d (%s)", o->signal, strsignal(o->signal));
    else
        locum_format(words, sizeof words, "failed with exit code %d", o->exit_code);
    locum_external_log_tail(job->folder, tail, sizeof tail);
    return LOCUM_FAIL(LOCUM_CONVERGENCE, "%s %s%s%s (%s/log.txt)", program, words, tail[0] ? ": " : "", tail,
                      job->folder);
}

static locum_status run_one(const external_job *job, const external_command *command, int log)
{
    external_outcome outcome;

    LOCUM_TRY(locum_external_run(command->argv, job->environment, job->folder, log, job->config->timeout, job->services,
                                 &outcome));
    locum_text out = {0};
    locum_text_add(&out, "program: %s\nexit_status: %d\nsignal: %d\ntimed_out: %s\nseconds: %.3f\n", command->argv[0],
                   outcome.exit_code, outcome.signal, outcome.timed_out ? "true" : "false", outcome.seconds);
    locum_status st = out.status;
    if (!st) st = locum_external_write(job->folder, "status.yaml", out.data, out.size);
    locum_text_free(&out);
    return st ? st : judge(job, command->argv[0], &outcome);
}

/* words and values of the sample: what `finished` holds */
static void describe(const external_job *job, const external_command *commands, int n, locum_text *out)
{
    const external_config *c = job->config;

    locum_text_add(out, "index %lld seed %llu", (long long)job->index, (unsigned long long)job->seed);
    for (int p = 0; p < c->n_parameters; p++) {
        locum_text_add(out, " %s ", c->parameter_name[p]);
        locum_text_number(out, c->parameter[p]);
    }
    locum_text_add(out, " until %.17g interval %.17g\n", c->until, c->interval);
    for (int i = 0; i < n; i++) {
        for (int w = 0; w < commands[i].n; w++) locum_text_add(out, "[%s] ", commands[i].argv[w]);
        locum_text_add(out, "\n");
    }
}

static locum_status run_all(const external_job *job, const external_command *commands, int n, const locum_text *done)
{
    int log = -1;

    /* an older program may still write here: its end is waited for before the folder is emptied */
    LOCUM_TRY(locum_external_make_folder(job->folder));
    LOCUM_TRY(locum_external_open_log(job->folder, job->config->timeout, job->services, &log));
    close(log);
    locum_external_remove_folder(job->folder);
    LOCUM_TRY(locum_external_make_folder(job->folder));
    LOCUM_TRY(write_parameters(job, false));
    LOCUM_TRY(write_parameters(job, true));
    LOCUM_TRY(locum_external_open_log(job->folder, job->config->timeout, job->services, &log));
    locum_status st = LOCUM_OK;
    for (int i = 0; i < n && !st; i++) st = run_one(job, &commands[i], log);
    close(log);
    return st ? st : locum_external_write(job->folder, "finished", done->data, done->size);
}

locum_status locum_external_sample_run(const external_job *job)
{
    const external_config *c = job->config;
    external_values *values = NULL;
    external_command *commands = NULL; /* prepare, if there is one, then run */
    locum_text done = {0};
    int n = 0;

    locum_status st = LOCUM_NEW(&values, 1);
    if (!st) st = LOCUM_NEW(&commands, 2);
    if (!st) locum_external_values_fill(c, job->folder, job->index, job->seed, values);
    if (!st && c->n_prepare > 0)
        st = locum_external_command_make("prepare", c->n_prepare, c->prepare, values, c->folder, &commands[n++]);
    if (!st) st = locum_external_command_make("run", c->n_run, c->run, values, c->folder, &commands[n++]);
    if (!st) {
        describe(job, commands, n, &done);
        st = done.status;
    }
    if (!st && !locum_external_holds(job->folder, "finished", done.data, done.size))
        st = run_all(job, commands, n, &done);
    locum_text_free(&done);
    free(commands);
    free(values);
    return st;
}
