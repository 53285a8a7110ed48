/* SPDX-License-Identifier: BSD-3-Clause */
/* units.c - conversion factors known from elsewhere, and refusals. */
#include "core/units.h"
#include "tests/unit/check.h"

static void factors_are_right(void)
{
    static const struct {
        const char *from, *to;
        double factor, tolerance; /* relative */
    } rows[] = {
        {"m", "m", 1, 0},
        {"", "1", 1, 0},
        {"rad", "", 1, 0},
        {"km", "m", 1e3, 0},
        {"km/s", "m s-1", 1e3, 0},
        {"km/h", "km/h", 1, 0},
        {"km/hour", "m/s", 1 / 3.6, 4e-16}, /* a few roundings of products */
        {"Mpc/h", "kpc/h", 1e3, 4e-16},
        {"km/s/Mpc", "1/s", 3.2407792894443648e-20, 1e-15},
        {"Myr", "yr", 1e6, 0},
        {"yr", "s", 31557600, 0},
        {"pc", "ly", 3.261563777167434, 1e-15},      /* IAU 2015: 648000/pi au over 9460730472580800 m */
        {"Msun", "kg", 1.988409870698051e30, 1e-15}, /* GM / G */
        {"kcal/mol", "kJ/mol", 4.184, 4e-16},
        {"hartree", "eV", 27.211386245988, 1e-12}, /* CODATA 2018 */
        {"hartree/bohr", "eV/angstrom", 51.42206747632, 1e-12},
        {"angstrom^3", "nm^3", 1e-3, 1e-15},
        {"kg m^-3", "g/cm^3", 1e-3, 1e-15},
        {"kg m-3", "g cm-3", 1e-3, 1e-15},
        {"kg*m2/s2", "J", 1, 0},
        {"kg.m2.s-2", "J", 1, 0},
        {"fs", "ps", 1e-3, 4e-16},
        {"min", "s", 60, 0},
        {"bar", "Pa", 1e5, 0},
        {"degree", "rad", 0.017453292519943295, 0},
        {"percent", "1", 0.01, 0},
        {"GB", "B", 1e9, 0},
        {"µm", "um", 1, 0},
        {"1", "length", 1, 0}, /* abstract units take pure numbers */
        {"", "length2/time", 1, 0},
        {"length/time", "length time-1", 1, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double factor = 0;
        CHECK_OK(locum_unit_factor(rows[i].from, rows[i].to, &factor));
        CHECK_CLOSE(factor, rows[i].factor, rows[i].tolerance * rows[i].factor);
    }
}

static void what_does_not_fit_is_refused(void)
{
    static const char *const rows[][2] = {
        {"Mpc/h", "Mpc"}, /* without h nobody knows */
        {"km", "s"},        {"m", ""},
        {"", "m"},          {"m", "length"},
        {"length", "m"},    {"length", "1"},
        {"time", "length"}, {"Mcp", "Mpc"},
        {"kmin", "s"},      {"m/", "m"},
        {"/m", "1/m"},      {"m^", "m"},
        {"m^0", "1"},       {"m^1.5", "m"},
        {"m^100", "m"},     {"m**2", "m2"},
        {"2 m", "m"},       {"10", "1"},
        {"m)", "m"},        {"m^-", "m"},
        {"m2s", "m"},       {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz", "m"},
        {"m\n", "m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double factor = -1;
        CHECK_FAILS(locum_unit_factor(rows[i][0], rows[i][1], &factor), LOCUM_STUDY);
        CU_ASSERT(factor == -1);
        CU_ASSERT(locum_status_message()[0]);
    }
}

LOCUM_RUN_TESTS("core/units", {"factors are right", factors_are_right},
                {"what does not fit is refused", what_does_not_fit_is_refused})
