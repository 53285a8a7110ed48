/* SPDX-License-Identifier: BSD-3-Clause */
/* owned_schema.c - deep copies of a schema, frames that own their data, and the schema as JSON and back.
 *
 * The JSON is the reader's only source: it lies in a checksummed array of the file (/locum/facts), because
 * attributes of HDF5's 1.8 format carry no checksum. Numbers are written so that they read back to the same bits. */
#include "datasets/store/owned_schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "datasets/store/store.h"

#define DOMAINS_MAX 64
#define ARRAYS_MAX 1024
#define POINTS_MAX ((int64_t)1 << 40)

/* --- memory ----------------------------------------------------------------------------------- */
static locum_status keep(locum_owned_schema *s, void *memory)
{
    if (s->n_memory == s->capacity) {
        int capacity = s->capacity ? 2 * s->capacity : 64;
        void **grown = realloc(s->memory, (size_t)capacity * sizeof *grown);
        if (!grown) {
            free(memory);
            return LOCUM_FAIL(LOCUM_MEMORY, "out of memory for a schema");
        }
        s->memory = grown;
        s->capacity = capacity;
    }
    s->memory[s->n_memory++] = memory;
    return LOCUM_OK;
}

static locum_status keep_text(locum_owned_schema *s, const char *text, const char **copy)
{
    char *made = NULL;
    locum_status st = locum_copy_text(&made, text ? text : "");

    if (!st) st = keep(s, made);
    *copy = st ? "" : made;
    return st;
}

static locum_status keep_axis(locum_owned_schema *s, const double *axis, int64_t n, const double **copy)
{
    double *made = NULL;

    *copy = NULL;
    if (!axis || n < 1) return LOCUM_OK;
    locum_status st = LOCUM_NEW(&made, n);
    if (!st) memcpy(made, axis, (size_t)n * sizeof *made);
    if (!st) st = keep(s, made);
    if (!st) *copy = made;
    return st;
}

static locum_status create(int n_domains, int n_arrays, locum_owned_schema **schema)
{
    locum_owned_schema *s = NULL;
    locum_status st = LOCUM_NEW(&s, 1);

    if (!st) st = LOCUM_NEW(&s->domains, n_domains + 1);
    if (!st) st = LOCUM_NEW(&s->arrays, n_arrays + 1);
    if (!st) st = LOCUM_NEW(&s->source, n_arrays + 1);
    if (!st) st = LOCUM_NEW(&s->stored, n_arrays + 1);
    if (st) {
        locum_owned_schema_destroy(s);
        s = NULL;
    } else {
        s->schema = (locum_schema){.domains = s->domains, .arrays = s->arrays};
    }
    *schema = s;
    return st;
}

void locum_owned_schema_destroy(locum_owned_schema *s)
{
    if (!s) return;
    for (int i = 0; i < s->n_memory; i++) free(s->memory[i]);
    free(s->memory);
    free(s->domains);
    free(s->arrays);
    free(s->source);
    free(s->stored);
    free(s);
}

/* --- copying ---------------------------------------------------------------------------------- */
static locum_status copy_domain(locum_owned_schema *s, const locum_domain *from)
{
    static const char *const letters[3] = {"x", "y", "z"};
    locum_domain *to = &s->domains[s->schema.n_domains];

    *to = *from;
    locum_status st = keep_text(s, from->name, &to->name);
    if (!st) st = keep_text(s, from->axis_unit ? from->axis_unit : "1", &to->axis_unit);
    for (int d = 0; !st && d < 3; d++) {
        bool used = d < from->n_dims;
        const char *name = from->axis_name[d]            ? from->axis_name[d]
                           : from->support == LOCUM_GRID ? letters[d]
                                                         : from->name;
        st = keep_text(s, used ? name : "", &to->axis_name[d]);
        if (!st) st = keep_axis(s, used ? from->axis[d] : NULL, from->n_global[d], &to->axis[d]);
    }
    if (!st) s->schema.n_domains++;
    return st;
}

locum_status locum_owned_schema_copy(const locum_schema *schema, const bool *wanted, locum_owned_schema **copy)
{
    int number[DOMAINS_MAX];
    locum_owned_schema *s = NULL;

    *copy = NULL;
    LOCUM_REQUIRE(schema->n_domains <= DOMAINS_MAX && schema->n_arrays <= ARRAYS_MAX, LOCUM_ARG,
                  "a schema has at most %d domains and %d arrays", DOMAINS_MAX, ARRAYS_MAX);
    locum_status st = create(schema->n_domains, schema->n_arrays, &s);
    for (int d = 0; d < schema->n_domains; d++) number[d] = -1;
    for (int a = 0; !st && a < schema->n_arrays; a++) {
        const locum_array *from = &schema->arrays[a];
        if (wanted && !wanted[a]) continue;
        if (number[from->domain] < 0) {
            number[from->domain] = s->schema.n_domains;
            st = copy_domain(s, &schema->domains[from->domain]);
        }
        int at = s->schema.n_arrays;
        locum_array *to = &s->arrays[at];
        *to = *from;
        to->domain = number[from->domain];
        s->source[at] = a;
        s->stored[at] = from->type;
        if (!st) st = keep_text(s, from->name, &to->name);
        if (!st) st = keep_text(s, from->text, &to->text);
        if (!st) st = keep_text(s, from->unit ? from->unit : "1", &to->unit);
        if (!st) s->schema.n_arrays++;
    }
    if (!st) {
        s->schema.timeless = schema->timeless;
        s->schema.interval = schema->interval;
        *copy = s;
    } else {
        locum_owned_schema_destroy(s);
    }
    return st;
}

/* --- frames ----------------------------------------------------------------------------------- */
typedef struct owned_frame {
    locum_frame frame; /* first: a locum_frame of ours is an owned_frame */
    locum_owned_schema *own;
} owned_frame;

locum_status locum_frame_create(const locum_schema *schema, locum_owned_schema *own, locum_frame **frame)
{
    owned_frame *made = NULL;
    locum_status st = LOCUM_NEW(&made, 1);

    *frame = NULL;
    if (!st) st = LOCUM_NEW(&made->frame.blocks, schema->n_arrays + 1);
    if (st) {
        free(made);
        return st;
    }
    made->frame.schema = schema;
    made->own = own;
    *frame = &made->frame;
    return LOCUM_OK;
}

void locum_frame_release(locum_frame *frame)
{
    if (!frame) return;
    owned_frame *owned = (owned_frame *)frame;
    for (int a = 0; a < frame->schema->n_arrays; a++) free((void *)(uintptr_t)frame->blocks[a].data);
    free(frame->blocks);
    locum_owned_schema_destroy(owned->own);
    free(owned);
}

/* --- names of the enumerations in JSON -------------------------------------------------------- */
static const char *const support_names[] = {"global", "grid", "rows"};
static const char *const side_names[] = {"periodic", "wall", "open"};
static const char *const place_names[] = {"node", "cell", "face"};
static const char *const type_names[] = {"float64", "float32", "int64", "int32"};

static int find_name(const char *const *names, int n, const char *name)
{
    for (int i = 0; name && i < n; i++)
        if (!strcmp(names[i], name)) return i;
    return -1;
}

/* --- writing ---------------------------------------------------------------------------------- */
static void write_numbers(locum_text *out, const double *values, int64_t n)
{
    locum_text_add(out, "[");
    for (int64_t i = 0; i < n; i++) {
        if (i) locum_text_add(out, ",");
        locum_text_json_number(out, values[i]);
    }
    locum_text_add(out, "]");
}

static void write_domain(const locum_domain *d, locum_text *out)
{
    locum_text_add(out, "{\"name\":");
    locum_text_json_string(out, d->name);
    locum_text_add(out, ",\"support\":\"%s\",\"axis_unit\":", support_names[d->support]);
    locum_text_json_string(out, d->axis_unit);
    locum_text_add(out, ",\"axes\":[");
    for (int i = 0; i < d->n_dims; i++) {
        locum_text_add(out, "%s{\"name\":", i ? "," : "");
        locum_text_json_string(out, d->axis_name[i]);
        locum_text_add(out, ",\"n\":%lld,\"lower\":", (long long)d->n_global[i]);
        locum_text_json_number(out, d->lower[i]);
        locum_text_add(out, ",\"upper\":");
        locum_text_json_number(out, d->upper[i]);
        locum_text_add(out, ",\"sides\":[\"%s\",\"%s\"],\"points\":", side_names[d->side[i][0]],
                       side_names[d->side[i][1]]);
        if (d->axis[i])
            write_numbers(out, d->axis[i], d->n_global[i]);
        else
            locum_text_add(out, "null");
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]}");
}

void locum_owned_schema_write(const locum_owned_schema *s, locum_text *out)
{
    locum_text_add(out, "{\"timeless\":%s,\"interval\":", s->schema.timeless ? "true" : "false");
    locum_text_json_number(out, s->schema.interval);
    locum_text_add(out, ",\n\"domains\":[");
    for (int d = 0; d < s->schema.n_domains; d++) {
        locum_text_add(out, d ? ",\n" : "\n");
        write_domain(&s->domains[d], out);
    }
    locum_text_add(out, "],\n\"arrays\":[");
    for (int a = 0; a < s->schema.n_arrays; a++) {
        const locum_array *array = &s->arrays[a];
        locum_text_add(out, "%s{\"name\":", a ? ",\n" : "\n");
        locum_text_json_string(out, array->name);
        locum_text_add(out, ",\"text\":");
        locum_text_json_string(out, array->text);
        locum_text_add(out, ",\"unit\":");
        locum_text_json_string(out, array->unit);
        locum_text_add(out,
                       ",\"type\":\"%s\",\"domain\":%d,\"order\":%d,\"shape\":[%d,%d],\"place\":\"%s\",\"roles\":%u}",
                       type_names[s->stored[a]], array->domain, array->order, array->shape[0], array->shape[1],
                       place_names[array->place], array->roles);
    }
    locum_text_add(out, "]}");
}

/* --- reading ---------------------------------------------------------------------------------- */
typedef struct reading {
    const locum_json *json;
    const char *where;
    locum_owned_schema *s;
} reading;

static double number_or_nan(const reading *r, locum_json_node node)
{
    double value = NAN;

    return locum_json_number(r->json, node, &value) ? value : NAN;
}

static int64_t integer_or(const reading *r, locum_json_node object, const char *key, int64_t fallback)
{
    int64_t value = 0;

    return locum_json_integer(r->json, locum_json_find(r->json, object, key), &value) ? value : fallback;
}

static int named(const reading *r, locum_json_node node, const char *const *names, int n)
{
    return find_name(names, n, locum_json_string(r->json, node));
}

static locum_status read_axis(reading *r, locum_json_node node, locum_domain *d, int i)
{
    locum_json_node sides = locum_json_find(r->json, node, "sides"), points = locum_json_find(r->json, node, "points");
    locum_json_node side = locum_json_first(r->json, sides), point = locum_json_first(r->json, points);
    int lower = named(r, side, side_names, 3), upper = named(r, locum_json_next(r->json, side), side_names, 3);
    int64_t n = integer_or(r, node, "n", -1);
    double *axis = NULL;

    bool whole = locum_json_kind_of(r->json, points) != LOCUM_JSON_ARRAY || locum_json_n(r->json, points) == n;
    LOCUM_REQUIRE(lower >= 0 && upper >= 0 && n >= 0 && n < POINTS_MAX && whole, LOCUM_DAMAGED,
                  "%s: axis %d of %s is not valid", r->where, i, d->name);
    d->n_global[i] = n;
    d->side[i][0] = (locum_boundary)lower;
    d->side[i][1] = (locum_boundary)upper;
    d->lower[i] = number_or_nan(r, locum_json_find(r->json, node, "lower"));
    d->upper[i] = number_or_nan(r, locum_json_find(r->json, node, "upper"));
    locum_status st =
        keep_text(r->s, locum_json_string(r->json, locum_json_find(r->json, node, "name")), &d->axis_name[i]);
    if (st || point < 0) return st;
    st = LOCUM_NEW(&axis, n);
    for (int64_t p = 0; !st && p < n; p++, point = locum_json_next(r->json, point)) axis[p] = number_or_nan(r, point);
    if (!st) st = keep(r->s, axis);
    if (!st) d->axis[i] = axis;
    return st;
}

static locum_status read_domain(reading *r, locum_json_node node, locum_domain *d)
{
    locum_json_node axes = locum_json_find(r->json, node, "axes");
    int support = named(r, locum_json_find(r->json, node, "support"), support_names, 3);
    int64_t n = locum_json_n(r->json, axes);

    LOCUM_REQUIRE(support >= 0 && n <= 3 && (support != LOCUM_GRID || n >= 2) && (support != LOCUM_ROWS || n == 1),
                  LOCUM_DAMAGED, "%s: a domain of its schema is not valid", r->where);
    d->support = (locum_support)support;
    d->n_dims = (int)n;
    locum_status st = keep_text(r->s, locum_json_string(r->json, locum_json_find(r->json, node, "name")), &d->name);
    if (!st)
        st = keep_text(r->s, locum_json_string(r->json, locum_json_find(r->json, node, "axis_unit")), &d->axis_unit);
    locum_json_node axis = locum_json_first(r->json, axes);
    double points = 1;
    for (int i = 0; !st && i < d->n_dims; i++, axis = locum_json_next(r->json, axis)) {
        st = read_axis(r, axis, d, i);
        points *= (double)d->n_global[i];
    }
    if (!st && points > (double)POINTS_MAX)
        st = LOCUM_FAIL(LOCUM_DAMAGED, "%s: %s claims %.3g points, more than can be", r->where, d->name, points);
    for (int i = d->n_dims; i < 3; i++) d->axis_name[i] = "";
    return st;
}

static locum_status read_array(reading *r, locum_json_node node, int at)
{
    locum_array *array = &r->s->arrays[at];
    locum_json_node shape = locum_json_first(r->json, locum_json_find(r->json, node, "shape"));
    int type = named(r, locum_json_find(r->json, node, "type"), type_names, 4);
    int place = named(r, locum_json_find(r->json, node, "place"), place_names, 3);
    int64_t domain = integer_or(r, node, "domain", -1), order = integer_or(r, node, "order", -1), n[2] = {0, 0};

    (void)locum_json_integer(r->json, shape, &n[0]);
    (void)locum_json_integer(r->json, locum_json_next(r->json, shape), &n[1]);
    bool valid = type >= 0 && place >= 0 && domain >= 0 && domain < r->s->schema.n_domains && order >= 0 && order <= 2;
    for (int i = 0; valid && i < order; i++) valid = n[i] >= 1 && n[i] <= 65536;
    LOCUM_REQUIRE(valid, LOCUM_DAMAGED, "%s: array %d of its schema is not valid", r->where, at);
    r->s->stored[at] = (locum_type)type;
    array->type = type == LOCUM_FLOAT32 ? LOCUM_FLOAT64 : (locum_type)type;
    array->place = (locum_place)place;
    array->domain = (int)domain;
    array->order = (int)order;
    array->shape[0] = (int)n[0];
    array->shape[1] = (int)n[1];
    array->roles = (unsigned)integer_or(r, node, "roles", 0);
    locum_status st = keep_text(r->s, locum_json_string(r->json, locum_json_find(r->json, node, "name")), &array->name);
    if (!st) st = keep_text(r->s, locum_json_string(r->json, locum_json_find(r->json, node, "text")), &array->text);
    if (!st) st = keep_text(r->s, locum_json_string(r->json, locum_json_find(r->json, node, "unit")), &array->unit);
    return st;
}

locum_status locum_owned_schema_read(const locum_json *json, locum_json_node node, const char *where,
                                     locum_owned_schema **schema)
{
    reading r = {.json = json, .where = where};
    locum_json_node domains = locum_json_find(json, node, "domains"), arrays = locum_json_find(json, node, "arrays");
    int64_t n_domains = locum_json_n(json, domains), n_arrays = locum_json_n(json, arrays);

    *schema = NULL;
    LOCUM_REQUIRE(domains >= 0 && arrays >= 0 && n_domains <= DOMAINS_MAX && n_arrays <= ARRAYS_MAX, LOCUM_DAMAGED,
                  "%s: its schema is not valid", where);
    locum_status st = create((int)n_domains, (int)n_arrays, &r.s);
    if (st) return st;
    locum_json_node item = locum_json_first(json, domains);
    for (int d = 0; !st && d < n_domains; d++, item = locum_json_next(json, item)) {
        st = read_domain(&r, item, &r.s->domains[d]);
        r.s->schema.n_domains = d + 1;
    }
    item = locum_json_first(json, arrays);
    for (int a = 0; !st && a < n_arrays; a++, item = locum_json_next(json, item)) {
        st = read_array(&r, item, a);
        r.s->schema.n_arrays = a + 1;
    }
    (void)locum_json_bool(json, locum_json_find(json, node, "timeless"), &r.s->schema.timeless);
    (void)locum_json_number(json, locum_json_find(json, node, "interval"), &r.s->schema.interval);
    if (st)
        locum_owned_schema_destroy(r.s);
    else
        *schema = r.s;
    return st;
}
