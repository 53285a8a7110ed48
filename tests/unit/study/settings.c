/* SPDX-License-Identifier: BSD-3-Clause */
/* settings.c - values of one table: types, ranges, choices, groups, lists, origins, and the forms they are written in.
 */
#include <string.h>
#include <unistd.h>

#include "core/json.h"
#include "core/study/settings.h"
#include "tests/unit/check.h"
#include "tests/unit/study/sample.h"

typedef struct read_result {
    locum_document *document;
    locum_settings *settings;
    const sample_config *config;
    locum_status status;
} read_result;

static const char *const extra[] = {"name", "vary", NULL};

static read_result read_table(const locum_option *options, const char *text, int n_sets, const char *const *sets)
{
    read_result r = {0};
    r.status = locum_document_parse(text, strlen(text), "s.yaml", &r.document);
    for (int i = 0; i < n_sets && !r.status; i++) r.status = locum_document_set(r.document, sets[i]);
    if (!r.status) r.status = locum_settings_create(options, sizeof(sample_config), &r.settings);
    if (!r.status)
        r.status = locum_settings_read(r.settings, locum_yaml_find(locum_document_root(r.document), "solver"), extra);
    r.config = r.settings ? locum_settings_config(r.settings) : NULL;
    return r;
}

static read_result read_text(const char *text)
{
    return read_table(sample_options, text, 0, NULL);
}

static void drop(read_result *r)
{
    locum_settings_destroy(r->settings);
    locum_document_destroy(r->document);
    *r = (read_result){0};
}

static bool has(const char *text, const char *part)
{
    if (strstr(text, part)) return true;
    printf("\n    \"%s\" lacks \"%s\"", text, part);
    return false;
}

static void absent_options_take_their_defaults(void)
{
    read_result r = read_text("other: 1\n");
    CHECK_OK(r.status);
    CU_ASSERT(r.config->viscosity == 1e-3 && r.config->drag == 0.1 && r.config->box == 50);
    CU_ASSERT(isnan(r.config->wall_time));
    CU_ASSERT(r.config->n_resolution == 1 && r.config->resolution[0] == 64 && r.config->resolution[1] == 0);
    CU_ASSERT(r.config->dealias && r.config->forcing == 0);
    CU_ASSERT_STRING_EQUAL(r.config->label, "plain");
    CU_ASSERT_STRING_EQUAL(r.config->table, "");
    CU_ASSERT(r.config->n_observe == 1);
    CU_ASSERT_STRING_EQUAL(r.config->observe[0], "energy");
    CU_ASSERT(r.config->train == 88 && !r.config->long_given && r.config->hidden == 7);
    CU_ASSERT(locum_settings_origin(r.settings, "viscosity") == LOCUM_FROM_DEFAULT);
    drop(&r);
}

static void given_options_are_stored_with_their_origin(void)
{
    const char *const sets[] = {"solver.drag=0.3", "solver.long.until=7"};
    read_result r =
        read_table(sample_options,
                   "solver:\n  name: x\n  viscosity: 0.5\n  box: 5000 kpc\n  resolution: [64, 32]\n  dealias: false\n"
                   "  label: 12 monkeys\n  observe: [energy, spectrum]\n  split: {train: 3}\n  wall_time: 2 hour\n",
                   2, sets);
    CHECK_OK(r.status);
    CU_ASSERT(r.config->viscosity == 0.5 && r.config->drag == 0.3);
    CHECK_CLOSE(r.config->box, 5, 1e-14); /* one product by 1e-3: two roundings of 5 */
    CU_ASSERT(r.config->wall_time == 7200);
    CU_ASSERT(r.config->n_resolution == 2 && r.config->resolution[0] == 64 && r.config->resolution[1] == 32);
    CU_ASSERT_FALSE(r.config->dealias);
    CU_ASSERT_STRING_EQUAL(r.config->label, "12 monkeys");
    CU_ASSERT(r.config->n_observe == 2);
    CU_ASSERT_STRING_EQUAL(r.config->observe[1], "spectrum");
    CU_ASSERT(r.config->train == 3 && r.config->test == 32);
    CU_ASSERT(r.config->long_given && r.config->until == 7);
    CU_ASSERT(locum_settings_origin(r.settings, "viscosity") == LOCUM_FROM_STUDY);
    CU_ASSERT(locum_settings_origin(r.settings, "drag") == LOCUM_FROM_SET);
    CU_ASSERT(locum_settings_origin(r.settings, "split.train") == LOCUM_FROM_STUDY);
    drop(&r);
    r = read_text("solver: {resolution: 128}\n"); /* a scalar is a list of one */
    CHECK_OK(r.status);
    CU_ASSERT(r.config->n_resolution == 1 && r.config->resolution[0] == 128);
    drop(&r);
}

static void faults_name_place_option_and_remedy(void)
{
    static const struct {
        const char *text, *message, *remedy;
    } bad[] = {{"solver:\n  drag: 0\n  viscosty: 1\n",
                "s.yaml:3:3: unknown option `viscosty` of solver; did you mean `viscosity`? (known: ", "vary"},
               {"solver: {Viscosity: 1}\n", "s.yaml:1:10: unknown option `Viscosity` of solver", "`viscosity`?"},
               {"solver: {vicsosity: 1}\n", "s.yaml:1:10: unknown", "`viscosity`?"},
               {"solver: {resol: 1}\n", "s.yaml:1:10: unknown", "`resolution`?"},
               {"solver: {hidden: 1}\n", "s.yaml:1:10: unknown option `hidden`", "(known: "},
               {"solver:\n  viscosity: -1\n", "s.yaml:2:14: solver.viscosity: -1 is out of range: it must be ",
                "> 0 and <= 10"},
               {"solver:\n  viscosity: 0\n", "s.yaml:2:14: solver.viscosity: 0 is out of range", "> 0 and <= 10"},
               {"solver:\n  drag: 1\n", "s.yaml:2:9: solver.drag: 1 is out of range", ">= 0 and < 1"},
               {"solver: {resolution: 2}\n", "s.yaml:1:22: solver.resolution: 2 is out of range", "4 .. 8192"},
               {"solver: {resolution: [64, 64, 64, 64]}\n", "s.yaml:1:22: solver.resolution: 4 values", "at most 3"},
               {"solver: {resolution: 64.5}\n", "s.yaml:1:22: solver.resolution: ", "whole number"},
               {"solver: {resolution: [64, 010]}\n", "s.yaml:1:27: solver.resolution: ", "write 10"},
               {"solver: {viscosity: [1]}\n", "s.yaml:1:21: solver.viscosity: ", "found a list"},
               {"solver: {viscosity: 0,001}\n", "s.yaml:1:23: `0,001` is not a number", "the decimal sign is a point"},
               {"solver: {resolution: 1, viscosty: 2}\n", "s.yaml:1:25: unknown option `viscosty`", "`viscosity`?"},
               {"solver:\n  viscosity: 0,001\n", "s.yaml:2:14: solver.viscosity: ", "the decimal sign is a point"},
               {"solver: {viscosity: 1e-3abc}\n", "s.yaml:1:21: solver.viscosity: ", "`abc` follows"},
               {"solver: {viscosity: {a: 1}}\n", "s.yaml:1:21: solver.viscosity: ", "found a mapping"},
               {"solver: {dealias: yes}\n", "s.yaml:1:19: solver.dealias: ", "true or false"},
               {"solver: {box: 3 s}\n", "s.yaml:1:15: solver.box: `3 s`: ", "the option's unit is Mpc"},
               {"solver: {viscosity: 3 s}\n", "s.yaml:1:21: solver.viscosity: `3 s`: ", "takes no unit"},
               {"solver: {label: }\n", "s.yaml:1:17: solver.label: ", "found nothing"},
               {"solver: {forcing: kolmogrov}\n",
                "s.yaml:1:19: solver.forcing: unknown choice `kolmogrov`; did you mean `kolmogorov`?",
                "(known: none, kolmogorov, diagonal)"},
               {"solver:\n  forcing: {name: diagonal, wavenumber: 4}\n",
                "s.yaml:2:29: `wavenumber` is an option of forcing `kolmogorov`, but `diagonal` is chosen",
                "choose `kolmogorov`"},
               {"solver: {forcing: {amplitude: 1}}\n",
                "s.yaml:1:20: `amplitude` is an option of forcing `kolmogorov`, but `none`", "remove it"},
               {"solver: {forcing: {name: kolmogorov, amplitud: 1}}\n",
                "s.yaml:1:38: unknown option `amplitud` of solver.forcing; did you mean `amplitude`?",
                "(known: name, wavenumber, amplitude)"},
               {"solver: {split: {tran: 1}}\n",
                "s.yaml:1:18: unknown option `tran` of solver.split; did you mean `train`?", "(known: train, test)"},
               {"solver: {split: 3}\n", "s.yaml:1:17: solver.split: ", "{train: ...}"},
               {"solver: words\n", "", ""},
               {"solver: [1]\n", "s.yaml:1:9: solver: ", "found a list"}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        read_result r = read_text(bad[i].text);
        if (bad[i].message[0]) {
            CHECK_FAILS(r.status, LOCUM_STUDY);
            CU_ASSERT(has(locum_status_message(), bad[i].message));
            CU_ASSERT(has(locum_status_message(), bad[i].remedy));
        } else {
            CHECK_OK(r.status); /* `solver: words`: the name is read by others */
        }
        drop(&r);
    }
}

static void a_choice_brings_its_own_options(void)
{
    read_result r = read_text("solver: {forcing: diagonal}\n");
    CHECK_OK(r.status);
    CU_ASSERT(r.config->forcing == 2 && r.config->amplitude == 0.1 && r.config->angle == 45);
    CU_ASSERT(locum_settings_option(r.settings, "forcing.angle") != NULL);
    CU_ASSERT(locum_settings_option(r.settings, "forcing.wavenumber") == NULL);
    drop(&r);

    r = read_text("solver: {forcing: {wavenumber: 8, name: kolmogorov}}\n"); /* the name may come last */
    CHECK_OK(r.status);
    CU_ASSERT(r.config->forcing == 1 && r.config->wavenumber == 8 && r.config->amplitude == 1);
    drop(&r);

    const char *const sets[] = {"solver.forcing.amplitude=2"};
    r = read_table(sample_options, "solver: {forcing: diagonal}\n", 1, sets);
    CHECK_OK(r.status);
    CU_ASSERT(r.config->forcing == 2 && r.config->amplitude == 2);
    drop(&r);
}

static void the_options_of_a_choice_called_name_lie_beside_it(void)
{
    read_result r = read_table(sample_initial, "solver: {slope: -5, name: random}\n", 0, NULL);
    CHECK_OK(r.status);
    CU_ASSERT(r.config->start == 1 && r.config->slope == -5);
    CU_ASSERT(locum_settings_option(r.settings, "slope") != NULL);
    locum_text text = {0};
    locum_settings_write(r.settings, 0, false, &text);
    CU_ASSERT_STRING_EQUAL(text.data, "name: random\nslope: -5\n");
    locum_text_free(&text);
    drop(&r);

    r = read_table(sample_initial, "solver: random\n", 0, NULL);
    CHECK_OK(r.status);
    CU_ASSERT(r.config->start == 1 && r.config->slope == -3);
    drop(&r);

    r = read_table(sample_initial, "solver: {name: rest, slope: 1}\n", 0, NULL);
    CHECK_FAILS(r.status, LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "`slope` is an option of name `random`, but `rest` is chosen"));
    drop(&r);
}

static void a_required_option_must_be_given(void)
{
    static const locum_option table[] = {{.name = "mass",
                                          .type = LOCUM_F64,
                                          AT(box),
                                          .min = 0,
                                          .max = INFINITY,
                                          .unit = "kg",
                                          .text = "total mass",
                                          .flags = LOCUM_REQUIRED | LOCUM_OPEN_MIN | LOCUM_PARAMETER},
                                         {0}};
    read_result r = read_table(table, "solver:\n  name: x\n", 0, NULL);
    CHECK_FAILS(r.status, LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "s.yaml:2:3: solver needs `mass`: total mass, > 0, in kg"));
    drop(&r);
    r = read_table(table, "solver: {mass: 3}\n", 0, NULL);
    CHECK_OK(r.status);
    drop(&r);
    r = read_table(table, "other: 1\n", 0, NULL);
    CHECK_FAILS(r.status, LOCUM_STUDY);
    drop(&r);
    r = read_table(table, "solver: {}\ncampaign: {vary: {mass: [1, 2]}}\n", 0, NULL); /* each sample has its own */
    CHECK_OK(r.status);
    drop(&r);
}

static void a_data_file_and_the_study_must_agree_on_parameters(void)
{
    read_result r = read_text("solver: {viscosity: 0.5, box: 10}\n");
    CHECK_OK(locum_settings_put(r.settings, "viscosity", "0.5000000001", LOCUM_FROM_FILE)); /* within 1e-6 */
    CU_ASSERT(r.config->viscosity == 0.5);
    CHECK_FAILS(locum_settings_put(r.settings, "viscosity", "0.6", LOCUM_FROM_FILE), LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "data file, viscosity=0.6: `viscosity`"));
    CHECK_OK(locum_settings_put(r.settings, "box", "20", LOCUM_FROM_FILE)); /* no parameter: the study wins */
    CU_ASSERT(r.config->box == 10);
    CHECK_OK(locum_settings_put(r.settings, "drag", "0.7", LOCUM_FROM_FILE)); /* the file wins over the default */
    CU_ASSERT(r.config->drag == 0.7);
    CU_ASSERT(locum_settings_origin(r.settings, "drag") == LOCUM_FROM_FILE);
    CHECK_FAILS(locum_settings_put(r.settings, "drag", "0,7", LOCUM_FROM_FILE), LOCUM_STUDY);
    CHECK_FAILS(locum_settings_put(r.settings, "darg", "0.7", LOCUM_FROM_FILE), LOCUM_STUDY);
    CU_ASSERT(has(locum_status_message(), "did you mean `drag`?"));
    CHECK_OK(locum_settings_put(r.settings, "label", "a: [b", LOCUM_FROM_FILE)); /* a text needs no quotes */
    CU_ASSERT_STRING_EQUAL(r.config->label, "a: [b");
    drop(&r);

    const char *const sets[] = {"solver.viscosity=0.7"}; /* --set overrules both */
    r = read_table(sample_options, "solver: {}\n", 1, sets);
    CHECK_OK(locum_settings_put(r.settings, "viscosity", "0.6", LOCUM_FROM_FILE));
    CU_ASSERT(r.config->viscosity == 0.7);
    drop(&r);
}

static void numbers_are_varied_by_path_within_their_range(void)
{
    read_result r = read_text("solver: {forcing: kolmogorov, resolution: [32, 64]}\n");
    sample_config copy = *r.config;
    double value = 0;
    CHECK_OK(locum_settings_apply(r.settings, &copy, "viscosity", 0.25));
    CHECK_OK(locum_settings_apply(r.settings, &copy, "forcing.wavenumber", 8));
    CHECK_OK(locum_settings_apply(r.settings, &copy, "resolution", 128));
    CU_ASSERT(copy.viscosity == 0.25 && copy.wavenumber == 8 && copy.n_resolution == 1 && copy.resolution[0] == 128);
    CU_ASSERT(r.config->viscosity == 1e-3 && r.config->n_resolution == 2);
    CHECK_FAILS(locum_settings_apply(r.settings, &copy, "viscosity", 11), LOCUM_STUDY);
    CHECK_FAILS(locum_settings_apply(r.settings, &copy, "viscosity", NAN), LOCUM_STUDY);
    CHECK_FAILS(locum_settings_apply(r.settings, &copy, "forcing.wavenumber", 2.5), LOCUM_STUDY);
    CHECK_FAILS(locum_settings_apply(r.settings, &copy, "forcing.angle", 2), LOCUM_STUDY);
    CHECK_FAILS(locum_settings_apply(r.settings, &copy, "label", 2), LOCUM_STUDY);
    CHECK_OK(locum_settings_number(r.settings, "forcing.wavenumber", &value));
    CU_ASSERT(value == 4);
    CHECK_FAILS(locum_settings_number(r.settings, "resolution", &value), LOCUM_STUDY);
    drop(&r);
}

static void written_settings_read_back_to_the_same_config(void)
{
    static const char *const texts[] = {
        "solver: {}\n",
        "solver: {viscosity: 3.3e-7, forcing: {name: kolmogorov, wavenumber: 9}, observe: [], label: \"true\"}\n",
        "solver: {forcing: diagonal, long: {}, wall_time: 1.5, resolution: [8, 16, 32], label: \"\", dealias: false}\n",
        "solver: {others: {flag: '', text: 'a \"b\": c', number: -1e-3}}\n",
        "solver: {table: data/spectra.h5, long: {until: 3}, label: 'quote \" and: colon', box: 1e300}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        for (int origins = 0; origins < 2; origins++) {
            read_result a = read_text(texts[i]);
            CHECK_OK(a.status);
            locum_text text = {0};
            locum_text_add(&text, "solver:\n");
            locum_settings_write(a.settings, 2, origins, &text);
            read_result b = read_text(text.data);
            CHECK_OK(b.status);
            CU_ASSERT(!memcmp(a.config, b.config, sizeof *a.config));
            locum_text_free(&text);
            drop(&a);
            drop(&b);
        }
    }
}

static void free_keys_are_kept_as_written(void)
{
    static const char *const set[] = {"solver.others.rtol=1e-9"};
    read_result r = read_table(sample_options, "solver: {others: {ksp_type: cg, monitor: }}\n", 1, set);
    CHECK_OK(r.status);
    CU_ASSERT_FATAL(r.config->n_others == 3);
    CU_ASSERT_STRING_EQUAL(r.config->others[0], "ksp_type cg");
    CU_ASSERT_STRING_EQUAL(r.config->others[1], "monitor");
    CU_ASSERT_STRING_EQUAL(r.config->others[2], "rtol 1e-9");
    locum_text json = {0};
    locum_settings_write_json(r.settings, &json);
    CU_ASSERT(has(json.data, "\"others\": {\"ksp_type\": \"cg\", \"monitor\": \"\", \"rtol\": \"1e-9\"}"));
    locum_text_free(&json);
    drop(&r);
    static const char *const wrong[][2] = {{"solver: {others: [a, b]}\n", "expected a mapping"},
                                           {"solver: {others: {a: [1]}}\n", "expected one value"},
                                           {"solver: {others: {'a b': 1}}\n", "must be one word"},
                                           {"solver: {others: {a: 1, b: 2, c: 3, d: 4}}\n", "at most 3"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        r = read_text(wrong[i][0]);
        CU_ASSERT(r.status == LOCUM_STUDY);
        CU_ASSERT(has(locum_status_message(), wrong[i][1]));
        drop(&r);
    }
}

static void yaml_for_people_shows_units_and_origins(void)
{
    read_result r = read_text("solver: {viscosity: 0.5, forcing: {name: kolmogorov, wavenumber: 9}}\n");
    locum_text text = {0};
    locum_settings_write(r.settings, 2, true, &text);
    CU_ASSERT(has(text.data, "  viscosity: 0.5                    # study\n"));
    CU_ASSERT(has(text.data, "  box: 50                           # Mpc, default\n"));
    CU_ASSERT(has(text.data, "  # wall_time: (not set)            # s, default\n"));
    CU_ASSERT(
        has(text.data,
            "  forcing:\n    name: kolmogorov                # study\n    wavenumber: 9                   # study\n"));
    CU_ASSERT(has(text.data, "  # long: (not given)\n"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "hidden"));
    locum_text_free(&text);
    drop(&r);
}

static void count_call(void *self, const char *path, const char *value, double number, const char *unit)
{
    int *n = self;
    ++*n;
    if (!strcmp(path, "box")) CU_ASSERT(number == 50 && !strcmp(value, "50") && !strcmp(unit, "Mpc"));
    if (!strcmp(path, "forcing")) CU_ASSERT(isnan(number) && !strcmp(value, "diagonal") && !unit);
    if (!strcmp(path, "forcing.angle")) CU_ASSERT(number == 45);
    if (!strcmp(path, "hidden")) CU_ASSERT(number == 7); /* stored with the rest */
    CU_ASSERT(strcmp(path, "wall_time") != 0 && strcmp(path, "long.until") != 0);
}

static void json_and_attributes_hold_the_values_in_force(void)
{
    read_result r = read_text("solver: {forcing: diagonal}\n");
    locum_text text = {0};
    locum_json *json = NULL;
    double value = 0;
    int n = 0;
    locum_settings_write_json(r.settings, &text);
    CHECK_OK(locum_json_parse(text.data, text.size, 1000, &json));
    CU_ASSERT(locum_json_number(json, locum_json_find(json, 0, "viscosity"), &value) && value == 1e-3);
    locum_json_node forcing = locum_json_find(json, 0, "forcing");
    CU_ASSERT_STRING_EQUAL(locum_json_string(json, locum_json_find(json, forcing, "name")), "diagonal");
    CU_ASSERT(locum_json_number(json, locum_json_find(json, forcing, "angle"), &value) && value == 45);
    CU_ASSERT(locum_json_kind_of(json, locum_json_find(json, 0, "wall_time")) == LOCUM_JSON_NULL);
    locum_settings_each(r.settings, &n, count_call);
    /* 13 options - wall_time - split and long themselves + 2 of diagonal + 2 of split */
    CU_ASSERT_EQUAL(n, 15);
    locum_json_destroy(json);
    locum_text_free(&text);
    drop(&r);
}

static void the_template_reads_back_as_all_defaults(void)
{
    locum_text text = {0};
    locum_text_add(&text, "solver:\n");
    locum_options_template(sample_options, 2, &text);
    read_result a = read_text(text.data), b = read_text("solver: {}\n");
    CHECK_OK(a.status);
    if (!a.status) CU_ASSERT(!memcmp(a.config, b.config, sizeof *a.config));
    CU_ASSERT(has(text.data, "  viscosity: 0.001              # kinematic viscosity (> 0 and <= 10)\n"));
    CU_ASSERT(has(text.data, "# forcing: {name: kolmogorov, wavenumber: 4, amplitude: 1}"));
    if (getenv("LOCUM_SHOW")) printf("\n%s", text.data);
    drop(&a);
    drop(&b);
    locum_text_free(&text);

    /* with the comment signs of an optional group taken away it is still a study */
    locum_text_add(&text, "solver:\n");
    locum_options_template(sample_options, 2, &text);
    char *group = strstr(text.data, "# long:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(group);
    memcpy(group, "  ", 2);
    memmove(group, group + 2, strlen(group + 2) + 1);
    group = strstr(text.data, "#   until:");
    CU_ASSERT_PTR_NOT_NULL_FATAL(group);
    memmove(group, group + 2, strlen(group + 2) + 1);
    a = read_text(text.data);
    CHECK_OK(a.status);
    if (!a.status) CU_ASSERT(a.config->long_given);
    drop(&a);
    locum_text_free(&text);
}

static void describe_lists_every_option(void)
{
    locum_text text = {0}, fixed = {0}, machine = {0};
    locum_json *json = NULL;
    locum_options_describe(sample_options, true, 2, &text);
    for (const locum_option *o = sample_options; o->type != LOCUM_END; o++) {
        if (!(o->flags & LOCUM_HIDDEN)) CU_ASSERT(has(text.data, o->text));
    }
    CU_ASSERT(has(text.data, "= kolmogorov   a sine of y\n"));
    CU_ASSERT(has(text.data, "kinematic viscosity; may vary in a campaign\n"));
    CU_ASSERT_PTR_NULL(strstr(text.data, "hidden"));
    locum_options_describe(sample_options, false, 2, &fixed); /* a block that campaign.vary does not reach */
    CU_ASSERT(has(fixed.data, "kinematic viscosity\n"));
    if (getenv("LOCUM_SHOW")) printf("\n%s", text.data);
    locum_options_describe_json(sample_options, true, &machine);
    CHECK_OK(locum_json_parse(machine.data, machine.size, 1000, &json));
    CU_ASSERT_EQUAL(locum_json_n(json, 0), 13);
    locum_json_destroy(json);
    locum_text_free(&text);
    locum_text_free(&fixed);
    locum_text_free(&machine);
}

static void paths_are_relative_to_the_study_or_for_set_to_here(void)
{
    char here[LOCUM_PATH_SIZE], expected[LOCUM_PATH_SIZE + 32];
    const char *const sets[] = {"solver.table=./b.h5"}, *const above[] = {"solver.table=../c.h5"};
    CU_ASSERT_PTR_NOT_NULL(getcwd(here, sizeof here));
    locum_document *document = NULL;
    locum_settings *settings = NULL;
    CHECK_OK(locum_document_parse("solver: {table: x/a.h5}", 23, "/usr/s.yaml", &document));
    CHECK_OK(locum_settings_create(sample_options, sizeof(sample_config), &settings));
    CHECK_OK(locum_settings_read(settings, locum_yaml_find(locum_document_root(document), "solver"), NULL));
    const sample_config *config = locum_settings_config(settings);
    CU_ASSERT_STRING_EQUAL(config->table, "/usr/x/a.h5");
    CHECK_OK(locum_document_set(document, sets[0]));
    CHECK_OK(locum_settings_read(settings, locum_yaml_find(locum_document_root(document), "solver"), NULL));
    snprintf(expected, sizeof expected, "%s/b.h5", here);
    CU_ASSERT_STRING_EQUAL(config->table, expected);
    CHECK_OK(locum_document_set(document, above[0]));
    CHECK_OK(locum_settings_read(settings, locum_yaml_find(locum_document_root(document), "solver"), NULL));
    *strrchr(here, '/') = 0;
    snprintf(expected, sizeof expected, "%s/c.h5", here);
    CU_ASSERT_STRING_EQUAL(config->table, expected);
    locum_settings_destroy(settings);
    locum_document_destroy(document);
}

static void unsound_tables_are_refused(void)
{
    static const locum_option outside[] = {
        {.name = "x", .type = LOCUM_F64, .place = sizeof(sample_config) - 4, .value = 1}, {0}};
    static const locum_option range[] = {{.name = "x", .type = LOCUM_F64, .value = 3, .min = 0, .max = 1}, {0}};
    static const locum_option twice[] = {{.name = "x", .type = LOCUM_F64}, {.name = "x", .type = LOCUM_I32}, {0}};
    static const locum_option choice[] = {{.name = "x", .type = LOCUM_CHOICE, .value = 3, .choices = sample_forcing},
                                          {0}};
    static const locum_option nan_integer[] = {{.name = "x", .type = LOCUM_I32, .value = NAN}, {0}};
    const locum_option *const tables[] = {outside, range, twice, choice, nan_integer};
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        locum_settings *settings = NULL;
        CHECK_FAILS(locum_settings_create(tables[i], sizeof(sample_config), &settings), LOCUM_INTERNAL);
        CU_ASSERT_PTR_NULL(settings);
    }
}

LOCUM_RUN_TESTS(
    "settings", {"absent options take their defaults", absent_options_take_their_defaults},
    {"given options are stored with their origin", given_options_are_stored_with_their_origin},
    {"faults name place, option and remedy", faults_name_place_option_and_remedy},
    {"a choice brings its own options", a_choice_brings_its_own_options},
    {"the options of a choice called name lie beside it", the_options_of_a_choice_called_name_lie_beside_it},
    {"a required option must be given", a_required_option_must_be_given},
    {"a data file and the study must agree on parameters", a_data_file_and_the_study_must_agree_on_parameters},
    {"numbers are varied by path within their range", numbers_are_varied_by_path_within_their_range},
    {"written settings read back to the same config", written_settings_read_back_to_the_same_config},
    {"free keys are kept as written", free_keys_are_kept_as_written},
    {"YAML for people shows units and origins", yaml_for_people_shows_units_and_origins},
    {"JSON and attributes hold the values in force", json_and_attributes_hold_the_values_in_force},
    {"the template reads back as all defaults", the_template_reads_back_as_all_defaults},
    {"describe lists every option", describe_lists_every_option},
    {"paths are relative to the study, or for --set to here", paths_are_relative_to_the_study_or_for_set_to_here},
    {"unsound tables are refused", unsound_tables_are_refused})
