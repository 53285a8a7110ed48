/* SPDX-License-Identifier: BSD-3-Clause */
/* units.c - conversion factors between products of named units.
 *
 *     unit = factor { [* . blank] factor | / factor }      factor = 1 | name [^] [sign] digits
 *
 * "km/s/Mpc", "kg m-3", "m^2 s^-1", "kcal/mol/angstrom". A name may carry an SI prefix ("Myr", "fs") unless the name as
 * it stands is a unit ("min", "cd"). `h` is Hubble's parameter and a dimension of its own: "Mpc/h" is never "Mpc".
 * An abstract unit (length, time, ...) belongs to a solver without scales: it takes pure numbers, and nothing else.
 * Constants: SI 2019 (exact) and CODATA 2018; astronomical unit and parsec of the IAU, GM of the Sun of IAU 2015 over
 * G = 6.67430e-11. Leaves out: offsets (degree Celsius), logarithmic units, parentheses, fractional powers. */
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/units.h"

enum {
    METRE,
    SECOND,
    KILOGRAM,
    KELVIN,
    AMPERE,
    MOLE,
    CANDELA,
    HUBBLE,
    ABSTRACT,
    N_ABSTRACT = 13,
    N_DIMS = ABSTRACT + N_ABSTRACT
};
enum { NAME_SIZE = 24, POWER_MAX = 99 };

typedef struct unit {
    const char *name;
    double factor; /**< in SI units */
    int8_t metre, second, kilogram, kelvin, ampere, mole, candela, hubble;
    bool prefixed; /**< may carry an SI prefix */
} unit;

static const unit units[] = {
    {.name = "m", .factor = 1, .metre = 1, .prefixed = true},
    {.name = "s", .factor = 1, .second = 1, .prefixed = true},
    {.name = "g", .factor = 1e-3, .kilogram = 1, .prefixed = true},
    {.name = "K", .factor = 1, .kelvin = 1, .prefixed = true},
    {.name = "A", .factor = 1, .ampere = 1, .prefixed = true},
    {.name = "mol", .factor = 1, .mole = 1, .prefixed = true},
    {.name = "cd", .factor = 1, .candela = 1},
    {.name = "h", .factor = 1, .hubble = 1},
    /* pure numbers */
    {.name = "rad", .factor = 1},
    {.name = "percent", .factor = 1e-2},
    {.name = "degree", .factor = 3.14159265358979323846 / 180},
    {.name = "B", .factor = 1, .prefixed = true}, /* byte */
    /* derived SI */
    {.name = "Hz", .factor = 1, .second = -1, .prefixed = true},
    {.name = "N", .factor = 1, .kilogram = 1, .metre = 1, .second = -2, .prefixed = true},
    {.name = "Pa", .factor = 1, .kilogram = 1, .metre = -1, .second = -2, .prefixed = true},
    {.name = "J", .factor = 1, .kilogram = 1, .metre = 2, .second = -2, .prefixed = true},
    {.name = "W", .factor = 1, .kilogram = 1, .metre = 2, .second = -3, .prefixed = true},
    {.name = "C", .factor = 1, .ampere = 1, .second = 1, .prefixed = true},
    {.name = "V", .factor = 1, .kilogram = 1, .metre = 2, .second = -3, .ampere = -1, .prefixed = true},
    {.name = "T", .factor = 1, .kilogram = 1, .second = -2, .ampere = -1, .prefixed = true},
    /* time */
    {.name = "min", .factor = 60, .second = 1},
    {.name = "hour", .factor = 3600, .second = 1},
    {.name = "day", .factor = 86400, .second = 1},
    {.name = "yr", .factor = 365.25 * 86400, .second = 1, .prefixed = true},
    /* length and volume */
    {.name = "au", .factor = 149597870700.0, .metre = 1},
    {.name = "AU", .factor = 149597870700.0, .metre = 1},
    {.name = "pc", .factor = 149597870700.0 * 648000 / 3.14159265358979323846, .metre = 1, .prefixed = true},
    {.name = "ly", .factor = 299792458.0 * 365.25 * 86400, .metre = 1},
    {.name = "angstrom", .factor = 1e-10, .metre = 1},
    {.name = "bohr", .factor = 5.29177210903e-11, .metre = 1},
    {.name = "L", .factor = 1e-3, .metre = 3, .prefixed = true},
    /* mass */
    {.name = "Msun", .factor = 1.3271244e20 / 6.67430e-11, .kilogram = 1},
    {.name = "u", .factor = 1.66053906660e-27, .kilogram = 1},
    {.name = "Da", .factor = 1.66053906660e-27, .kilogram = 1, .prefixed = true},
    {.name = "t", .factor = 1e3, .kilogram = 1},
    /* energy, pressure, charge */
    {.name = "eV", .factor = 1.602176634e-19, .kilogram = 1, .metre = 2, .second = -2, .prefixed = true},
    {.name = "hartree", .factor = 4.3597447222071e-18, .kilogram = 1, .metre = 2, .second = -2},
    {.name = "rydberg", .factor = 4.3597447222071e-18 / 2, .kilogram = 1, .metre = 2, .second = -2},
    {.name = "cal", .factor = 4.184, .kilogram = 1, .metre = 2, .second = -2, .prefixed = true},
    {.name = "erg", .factor = 1e-7, .kilogram = 1, .metre = 2, .second = -2},
    {.name = "bar", .factor = 1e5, .kilogram = 1, .metre = -1, .second = -2, .prefixed = true},
    {.name = "atm", .factor = 101325, .kilogram = 1, .metre = -1, .second = -2},
    {.name = "e", .factor = 1.602176634e-19, .ampere = 1, .second = 1},
};

static const char *const abstract_names[N_ABSTRACT] = {
    "length",       "time",  "mass",     "temperature", "charge",    "energy",   "velocity",
    "acceleration", "force", "pressure", "density",     "viscosity", "frequency"};

static const struct {
    const char *name;
    double factor;
} prefixes[] = {{"da", 1e1}, {"h", 1e2},  {"k", 1e3},   {"M", 1e6},   {"G", 1e9},  {"T", 1e12},
                {"P", 1e15}, {"E", 1e18}, {"d", 1e-1},  {"c", 1e-2},  {"m", 1e-3}, {"u", 1e-6},
                {"µ", 1e-6}, {"n", 1e-9}, {"p", 1e-12}, {"f", 1e-15}, {"a", 1e-18}};

typedef struct product {
    double factor;
    int power[N_DIMS];
} product;

static const unit *find_unit(const char *name, bool prefixed)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(units[i].name, name) && (!prefixed || units[i].prefixed)) return &units[i];
    return NULL;
}

static void multiply_unit(product *out, const unit *u, double prefix, int power)
{
    const int8_t powers[] = {u->metre, u->second, u->kilogram, u->kelvin, u->ampere, u->mole, u->candela, u->hubble};

    out->factor *= pow(prefix * u->factor, power);
    for (int i = 0; i < ABSTRACT; i++) out->power[i] += power * powers[i];
}

/* out *= name^power; false if the name is unknown */
static bool multiply_name(product *out, const char *name, int power)
{
    const unit *u = find_unit(name, false);

    if (u) {
        multiply_unit(out, u, 1, power);
        return true;
    }
    for (int i = 0; i < N_ABSTRACT; i++)
        if (!strcmp(abstract_names[i], name)) {
            out->power[ABSTRACT + i] += power;
            return true;
        }
    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        size_t n = strlen(prefixes[i].name);
        if (strncmp(name, prefixes[i].name, n) || !(u = find_unit(name + n, true))) continue;
        multiply_unit(out, u, prefixes[i].factor, power);
        return true;
    }
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (unsigned char)c >= 0x80 || c == '_';
}

/* [^] [sign] digits at *text; *power stays 1 if there are none. False if it is malformed or absurdly large. */
static bool read_power(const char **text, int *power)
{
    const char *at = *text;
    bool caret = *at == '^';
    int sign = 1, value = 0;

    at += caret;
    if (*at == '-' || *at == '+') sign = *at++ == '-' ? -1 : 1;
    if (*at < '0' || *at > '9') return !caret && at == *text;
    while (*at >= '0' && *at <= '9' && value <= POWER_MAX) value = value * 10 + (*at++ - '0');
    if (value > POWER_MAX || value == 0) return false;
    *power = sign * value;
    *text = at;
    return true;
}

static locum_status read_product(const char *text, product *out)
{
    const char *at = text + strspn(text, " ");
    bool divide = false, expected = false;

    *out = (product){.factor = 1};
    while (*at) {
        char name[NAME_SIZE] = "";
        size_t n = 0;
        int power = 1;
        while (is_letter(at[n])) n++;
        LOCUM_REQUIRE(n < sizeof name, LOCUM_STUDY, "unknown unit '%.40s'", at);
        memcpy(name, at, n);
        at += n;
        if (n == 0) {
            LOCUM_REQUIRE(at[0] == '1' && (at[1] < '0' || at[1] > '9'), LOCUM_STUDY, "'%s' is not a unit", text);
            at++;
        } else {
            LOCUM_REQUIRE(read_power(&at, &power), LOCUM_STUDY, "'%s': a power must be a whole number from 1 to %d",
                          text, POWER_MAX);
            LOCUM_REQUIRE(multiply_name(out, name, divide ? -power : power), LOCUM_STUDY, "unknown unit '%s'", name);
        }
        size_t blanks = strspn(at, " ");
        at += blanks;
        divide = *at == '/';
        expected = divide || *at == '*' || *at == '.';
        LOCUM_REQUIRE(expected || blanks || !*at, LOCUM_STUDY, "'%s' is not a unit", text);
        if (expected) at += 1 + strspn(at + 1, " ");
    }
    LOCUM_REQUIRE(!expected, LOCUM_STUDY, "'%s' ends with a sign", text);
    return LOCUM_OK;
}

static bool is_pure(const product *p)
{
    for (int i = 0; i < N_DIMS; i++)
        if (p->power[i]) return false;
    return true;
}

static bool is_abstract(const product *p)
{
    for (int i = ABSTRACT; i < N_DIMS; i++)
        if (p->power[i]) return true;
    return false;
}

locum_status locum_unit_factor(const char *from, const char *to, double *factor)
{
    product a, b;

    LOCUM_TRY(read_product(from, &a));
    LOCUM_TRY(read_product(to, &b));
    bool same = !memcmp(a.power, b.power, sizeof a.power), scale_free = is_pure(&a) && is_abstract(&b);
    LOCUM_REQUIRE(same || scale_free || !is_abstract(&b), LOCUM_STUDY,
                  "the unit '%s' does not fit: this number is a %s without a scale, give it without a unit", from, to);
    LOCUM_REQUIRE(same || scale_free, LOCUM_STUDY, "the unit '%s' cannot be turned into '%s'", from, *to ? to : "1");
    *factor = a.factor / b.factor;
    return LOCUM_OK;
}
