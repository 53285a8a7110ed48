/* SPDX-License-Identifier: BSD-3-Clause */
#include "sample.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#define N_WAVES 32
#define N_POINTS 64
#define N_CURVE 49
#define N_PICTURE 48

static const double twice_pi = 6.283185307179586;

/* a number between 0 and 1 that looks random */
static double dice(int i, int k)
{
    double x = sin(12.9898 * (i + 1) + 78.233 * (k + 1)) * 43758.5453;
    return x - floor(x);
}

static void number(locum_text *out, double value)
{
    if (isfinite(value))
        locum_text_add(out, "%.6g", value);
    else
        locum_text_add(out, "null");
}

static void string(locum_text *out, const char *key, const char *value)
{
    locum_text_add(out, ",\"%s\":", key);
    locum_text_json_string(out, value);
}

/* --- the solution -------------------------------------------------------------------------------------- */
static double solution(int output, int j, double viscosity, double drag)
{
    double energy = 0.35 / pow(drag + 4 * viscosity, 0.8) + 0.02,
           dissipation = 2.1 * pow(viscosity, 0.35) * pow(energy, 0.6), k = j + 1;
    switch (output) {
    case 0: return energy;
    case 1: return dissipation;
    case 2: return dissipation + 2 * drag * energy;
    case 3: return energy * pow(k, -1.2) * exp(-k * sqrt(viscosity) * 1.6) / (1 + pow(k / 4, 3));
    default: return 0.8 * sqrt(energy) * sin(4 * twice_pi * j / N_POINTS);
    }
}

static int extent_of(int output)
{
    return output < 3 ? 1 : output == 3 ? N_WAVES : N_POINTS;
}

static void row(locum_text *out, const char *key, double viscosity, double drag, double factor, double shift)
{
    locum_text_add(out, ",\"%s\":[", key);
    for (int o = 0; o < SAMPLE_OUTPUTS; o++) {
        bool single = extent_of(o) == 1;
        locum_text_add(out, "%s%s", o ? "," : "", single ? "" : "[");
        for (int j = 0; j < extent_of(o); j++) {
            double value = solution(o, j, viscosity, drag) * factor;
            if (j) locum_text_add(out, ",");
            number(out, o == 4 ? value + shift * 0.8 : value * (1 + shift * (o == 3 ? 4 : 1)));
        }
        locum_text_add(out, "%s", single ? "" : "]");
    }
    locum_text_add(out, "]");
}

static double viscosity_of(int i)
{
    return 4e-3 * pow(25, dice(i, 0));
}

static double drag_of(int i)
{
    return 0.05 * pow(6, dice(i, 1));
}

static double error_of(int i)
{
    return 0.02 + 0.09 * dice(i, 2) * dice(i, 3);
}

static void samples(locum_text *out)
{
    locum_text_add(out, ",\"samples\":[");
    for (int i = 0; i < SAMPLE_TESTS; i++) {
        double nu = viscosity_of(i), drag = drag_of(i), off = 1 + error_of(i) * (dice(i, 4) < 0.5 ? -1 : 1);
        locum_text_add(out, "%s{\"index\":%d,\"parameters\":[%.6g,%.6g],\"error\":%.6g,\"error_of\":[", i ? "," : "", i,
                       nu, drag, error_of(i));
        for (int o = 0; o < SAMPLE_OUTPUTS; o++)
            locum_text_add(out, "%s%.6g", o ? "," : "", error_of(i) * (0.6 + 0.8 * dice(i, 5 + o)));
        locum_text_add(out, "],\"covered\":%s,\"flag\":%d,\"p_value\":%.4g", i % 8 ? "true" : "false", i == 5,
                       dice(i, 11));
        row(out, "truth", nu, drag, 1, 0);
        row(out, "value", nu, drag, off, 0);
        row(out, "lower", nu, drag, off, -0.12);
        row(out, "upper", nu, drag, off, 0.12);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]");
}

static void response_of(locum_text *out, int input)
{
    static const char *const names[] = {"energy", "dissipation", "injection"};
    double from = input ? 0.05 : 4e-3, to = input ? 0.3 : 0.1;
    static const char *const keys[] = {"value", "lower", "upper"};
    static const double factor[] = {1, 0.88, 1.12};
    locum_text_add(out, "%s{\"input\":\"%s\",\"at\":\"%s\",\"x\":[", input ? "," : "", input ? "drag" : "viscosity",
                   input ? "viscosity = 0.02" : "drag = 0.122");
    for (int j = 0; j < N_CURVE; j++)
        locum_text_add(out, "%s%.6g", j ? "," : "", from * pow(to / from, (double)j / (N_CURVE - 1)));
    locum_text_add(out, "],\"outputs\":[");
    for (int o = 0; o < 3; o++) {
        locum_text_add(out, "%s{\"name\":\"%s\"", o ? "," : "", names[o]);
        for (int k = 0; k < 3; k++) {
            locum_text_add(out, ",\"%s\":[", keys[k]);
            for (int j = 0; j < N_CURVE; j++) {
                double x = from * pow(to / from, (double)j / (N_CURVE - 1));
                locum_text_add(out, "%s%.6g", j ? "," : "",
                               factor[k] * solution(o, 0, input ? 0.02 : x, input ? x : 0.122));
            }
            locum_text_add(out, "]");
        }
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]}");
}

/* --- the rest ------------------------------------------------------------------------------------------ */
double sample_error(int j, int c)
{
    static const double first[] = {0.0312, 0.412, 0.271, 0.187, 0.153, 0.0412, 0.0211},
                        step[] = {0.0113, 0.0221, 0.0131, 0.0123, 0.0171, 0.0093, 0.0031};
    return first[c] + step[c] * j;
}

static void outputs(locum_text *out, bool bare)
{
    static const char *const names[] = {"energy", "dissipation", "injection", "spectrum", "symmetric_profile"};
    static const char *const texts[] = {"kinetic energy per mass, mean", "viscous dissipation, mean",
                                        "power of the forcing, mean", "energy per shell of wavenumbers",
                                        "mean velocity, averaged over the symmetries of the forcing"};
    static const char *const columns[] = {"surrogate",         "mean",       "linear", "quadratic", "nearest",
                                          "reference_cheaper", "label_noise"};
    locum_text_add(out, ",\"outputs\":[");
    for (int o = 0; o < SAMPLE_OUTPUTS; o++) {
        locum_text_add(out, "%s{\"name\":\"%s\",\"unit\":\"%s\",\"text\":\"%s\",\"extent\":%d", o ? "," : "", names[o],
                       o ? "1" : "m2 s-2", texts[o], extent_of(o));
        if (o < 3 || bare)
            locum_text_add(out, ",\"axis_name\":null,\"axis\":null");
        else {
            string(out, "axis_name", o == 3 ? SAMPLE_COMMAND : "y");
            locum_text_add(out, ",\"axis\":[");
            for (int j = 0; j < extent_of(o); j++)
                locum_text_add(out, "%s%.6g", j ? "," : "", o == 3 ? j + 1.0 : twice_pi * j / N_POINTS);
            locum_text_add(out, "]");
        }
        locum_text_add(out, ",\"in_metric\":%s,\"transform\":\"log\",\"error\":{", o == 2 ? "false" : "true");
        for (int c = 0; c < 7; c++) {
            locum_text_add(out, "%s\"%s\":", c ? "," : "", columns[c]);
            number(out, bare && c >= 5 ? NAN : sample_error(o, c));
        }
        locum_text_add(out, "}}");
    }
    locum_text_add(out, "]");
}

static void baselines(locum_text *out)
{
    static const int points[] = {16, 24, 32, 48, 64};
    static const double cost[] = {0.002, 0.006, 0.02, 0.08, 0.25};
    double least = INFINITY;
    locum_text_add(out, ",\"baselines\":[");
    for (int r = 0; r < 5; r++)
        for (int w = 0; w < 6; w++) {
            double length = 4 * pow(2, w), error = hypot(0.35 / sqrt(length), 1.1 * pow(8.0 / points[r], 3)) + 0.01,
                   seconds = cost[r] * (20 + length);
            bool best = error < least; /* not sorted by time over all, but the page does not care */
            least = fmin(least, error);
            locum_text_add(out,
                           "%s{\"settings\":{\"resolution\":\"%d x "
                           "%d\",\"from\":20,\"until\":%.6g,\"text\":\"resolution %d x %d, mean over [20, %.4g]\"},",
                           r || w ? "," : "", points[r], points[r], 20 + length, points[r], points[r], 20 + length);
            locum_text_add(out,
                           "\"error\":%.6g,\"error_low\":%.6g,\"error_high\":%.6g,\"seconds_per_sample\":%.6g,"
                           "\"samples\":32,\"best\":%s}",
                           error, 0.87 * error, 1.14 * error, seconds, best ? "true" : "false");
        }
    locum_text_add(out, "]");
}

static void coverage(locum_text *out, sample_kind kind)
{
    locum_text_add(out, ",\"coverage\":{\"target\":0.9");
    if (kind == SAMPLE_BARE) {
        locum_text_add(out, ",\"measured\":null,\"covered\":null,\"samples\":32,\"calibration_samples\":0,\"law_low\":"
                            "null,\"law_high\":null,\"median_width\":[null,null,null,null,null],"
                            "\"negative_control\":null,\"groups\":[]}");
        return;
    }
    bool win = kind == SAMPLE_WIN;
    int covered = win ? 28 : 17, control = win ? 4 : 19;
    locum_text_add(out,
                   ",\"measured\":%.6g,\"covered\":%d,\"samples\":32,\"calibration_samples\":32,\"law_low\":21,\"law_"
                   "high\":32,\"median_width\":[0.241,0.262,0.239,0.381,0.452]",
                   covered / 32.0, covered);
    locum_text_add(out,
                   ",\"negative_control\":{\"samples\":24,\"failed\":1,\"covered\":%d,\"measured\":%.6g,\"law_limit\":"
                   "15,\"fails_visibly\":%s,\"flagged\":23,\"error\":0.4312",
                   control, control / 23.0, win ? "true" : "false");
    string(out, "parameters", "viscosity 0.001 to 0.002, drag 0.05 to 0.3");
    string(out, "text",
           "samples at a quarter to a half of the lowest viscosity, same grid and window: their spectra are "
           "under-resolved");
    locum_text_add(out, "},\"groups\":[{\"name\":\"viscosity lower half, 0.004 to "
                        "0.02\",\"covered\":13,\"samples\":16},{\"name\":\"viscosity upper half, 0.02 to "
                        "0.1\",\"covered\":15,\"samples\":16}]");
    string(out, "text",
           "marginal coverage of a simultaneous interval: a sample counts as covered if every value of every output "
           "lies inside");
    locum_text_add(out, "}");
}

static void snapshots(locum_text *out)
{
    locum_text_add(out, ",\"snapshots\":[");
    for (int s = 0; s < 3; s++) {
        int k = 1 << s;
        locum_text_add(out,
                       "%s{\"text\":\"vorticity at time 40, viscosity "
                       "%.3g\",\"nx\":%d,\"ny\":%d,\"lower\":[0,0],\"upper\":[6.2831853,6.2831853],\"values\":[",
                       s ? "," : "", 0.1 / (k * k), N_PICTURE, N_PICTURE);
        for (int i = 0; i < N_PICTURE; i++)
            for (int j = 0; j < N_PICTURE; j++) {
                double x = twice_pi * i / N_PICTURE, y = twice_pi * j / N_PICTURE;
                locum_text_add(out, "%s%.5g", i || j ? "," : "", 5 * sin(4 * y + sin(k * x)) + 3 * cos(k * x - 2 * y));
            }
        locum_text_add(out, "]}");
    }
    locum_text_add(out, "]");
}

static void explanations(locum_text *out)
{
    locum_text_add(out, ",\"response\":[");
    response_of(out, 0);
    response_of(out, 1);
    locum_text_add(out, "],\"examples\":[3,16,28],\"learning_curve\":[{\"samples\":11,\"error\":0.231},{\"samples\":22,"
                        "\"error\":0.132},{\"samples\":44,\"error\":0.0823},{\"samples\":88,\"error\":0.0561}]");
    locum_text_add(out, ",\"sensitivity\":[{\"input\":\"viscosity\",\"outputs\":[-0.412,0.231,0.112,-0.733,-0.207]},{"
                        "\"input\":\"drag\",\"outputs\":[-0.681,-0.321,0.153,-0.624,-0.311]}],\"distance\":[");
    for (int i = 0; i < SAMPLE_TESTS; i++)
        locum_text_add(out, "%s{\"distance\":%.4g,\"error\":%.6g}", i ? "," : "", 0.05 + 0.5 * dice(i, 20),
                       error_of(i));
    locum_text_add(out, "],\"rejection\":[");
    for (int i = 0; i < 6; i++)
        locum_text_add(out, "%s{\"fraction\":%.3g,\"error\":%.6g}", i ? "," : "", 0.1 * i, 0.0561 * (1 - 0.04 * i));
    locum_text_add(out, "],\"budget\":{\"text\":\"|injection - dissipation - 2 drag energy| / "
                        "injection\",\"surrogate\":0.0213,\"labels\":0.00441}");
}

static void nothing_explained(locum_text *out)
{
    locum_text_add(out, ",\"response\":[],\"examples\":[],\"learning_curve\":[],\"sensitivity\":[],\"distance\":[],"
                        "\"rejection\":[],\"budget\":null,\"snapshots\":[]");
}

static void head(locum_text *out, sample_kind kind)
{
    locum_text_add(out, "{\"study\":\"kolmogorov\",\"solver\":\"navier_stokes\",\"task\":\"map\"");
    string(out, "metric",
           "relative L2 error per output and sample, mean over energy, dissipation, spectrum, symmetric_profile, then "
           "over test samples");
    string(out, "headline",
           kind == SAMPLE_WIN ? "At equal error (0.0561, label noise 0.0317) the surrogate needs 4.12 us, the solver "
                                "1.83 s on the same core: 444000 times as fast."
           : kind == SAMPLE_LOSS
               ? "At equal error (0.0561, label noise 0.0317) the surrogate needs 21 ms, the solver 5 ms on the same "
                 "core: 0.238 times as fast, a loss."
               : "One prediction takes 4.12 us with an error of 0.0561. No speed-up is claimed: there is no solver.");
    string(out, "reference_settings", kind == SAMPLE_BARE ? "" : "resolution 64 x 64, mean over [40, 200]");
    locum_text_add(out,
                   ",\"test_samples\":32,\"test_read\":\"2026-11-24T22:41:07Z\",\"duplicates\":0,\"label_noise\":%s,"
                   "\"label_noise_samples\":%d",
                   kind == SAMPLE_BARE ? "null" : "0.0317", kind == SAMPLE_BARE ? 0 : 16);
    locum_text_add(out,
                   ",\"surrogate\":{\"error\":0.0561,\"error_low\":0.0487,\"error_high\":0.0642,\"error_on_searched_"
                   "samples\":0.0572,\"seconds_per_sample\":%s,"
                   "\"seconds_per_sample_best_batch\":3.3e-7,\"best_batch\":256,\"parameters\":52404,\"members\":4}",
                   kind == SAMPLE_LOSS ? "0.021" : "4.12e-6");
    locum_text_add(out, ",\"trivial\":[{\"name\":\"mean\",\"error\":0.452},{\"name\":\"linear\",\"error\":0.296},{"
                        "\"name\":\"quadratic\",\"error\":0.211},{\"name\":\"nearest\",\"error\":0.188}]");
    string(out, "trivial_text",
           "mean, linear and quadratic are least squares in the network's own transformed inputs and outputs");
}

static void speedup(locum_text *out, sample_kind kind)
{
    if (kind == SAMPLE_BARE) {
        locum_text_add(out, ",\"baselines\":[],\"reference\":{\"seconds_per_sample\":null,\"error\":null},\"speedup_at_"
                            "equal_error\":{\"value\":null,\"bound\":null,\"reason\":\"there is no solver\"},"
                            "\"break_even_predictions\":null");
        return;
    }
    baselines(out);
    locum_text_add(out,
                   ",\"reference\":{\"seconds_per_sample\":52.3,\"error\":0.0317},\"speedup_at_equal_error\":{"
                   "\"value\":%s,\"bound\":\"%s\",\"reason\":\"the error lies between two measured settings\"}",
                   kind == SAMPLE_WIN ? "444175.1" : "0.2381", kind == SAMPLE_WIN ? "=" : "<=");
    locum_text_add(out, ",\"break_even_predictions\":%s", kind == SAMPLE_WIN ? "1041.7" : "null");
}

/* --- fields ------------------------------------------------------------------------------------ */

static void over_leads(locum_text *out, const char *key, double first, double factor)
{
    locum_text_add(out, ",\"%s\":[%.6g,%.6g,%.6g,%.6g]", key, first, first * factor, first * factor * factor,
                   first * factor * factor * factor);
}

static void errors_over_leads(locum_text *out, double first)
{
    over_leads(out, "error_over_lead", first, 1.6);
    over_leads(out, "low_over_lead", 0.7 * first, 1.6);
    over_leads(out, "high_over_lead", 1.4 * first, 1.6);
    over_leads(out, "vrmse_over_lead", 1.1 * first, 1.6);
    over_leads(out, "correlation_over_lead", 1 - first, 0.9);
    locum_text_add(out, ",\"valid_time\":%.6g,\"valid_time_correlation\":0.75", 0.1 / first);
}

static void surrogate_of_fields(locum_text *out, int k)
{
    locum_text_add(out, "%s{\"name\":\"%s\",\"headline\":%s,\"model\":\"%s\",\"error\":%.6g", k ? "," : "",
                   k ? SAMPLE_MARKED : "fno", k ? "false" : "true", k ? "unet" : "fno", 0.0713 + 0.01 * k);
    locum_text_add(out,
                   ",\"validation_error\":0.0654,\"parameters\":123456,\"seconds_per_sample\":0.0123,"
                   "\"seconds_per_sample_best_batch\":0.0101,\"best_batch\":4,\"coverage\":0.875,\"covered\":28,"
                   "\"samples\":32,\"flagged\":1,\"stopped\":%d,\"calibrated_leads\":4",
                   k ? 3 : 0);
    errors_over_leads(out, 0.05 + 0.01 * k);
    over_leads(out, "coverage_over_lead", 0.97, 0.99);
    over_leads(out, "inside_over_lead", 0.999, 0.999);
    over_leads(out, "flagged_over_lead", 0.01, 1.5);
    over_leads(out, "width_over_lead", 0.3, 1.5);
    locum_text_add(out, "}");
}

static void picture(locum_text *out, const char *key, double phase)
{
    locum_text_add(out, ",\"%s\":[", key);
    for (int i = 0; i < 8 * 6; i++)
        locum_text_add(out, "%s%.4g", i ? "," : "", sin(twice_pi * (i / 6) / 8 + phase) * cos(twice_pi * (i % 6) / 6));
    locum_text_add(out, "]");
}

static void sheet(locum_text *out)
{
    locum_text_add(out, ",\"sheet\":{\"output\":\"vorticity\",\"index\":77,\"error\":0.0707,\"nx\":8,\"ny\":6,"
                        "\"lower\":[0,0],\"upper\":[1,1],\"input_name\":\"vorticity\"");
    picture(out, "input", 0);
    locum_text_add(out, ",\"leads\":[");
    for (int k = 0; k < 2; k++) {
        locum_text_add(out, "%s{\"lead\":%d,\"time\":%g", k ? "," : "", 3 * k + 1, 0.25 * (3 * k + 1));
        picture(out, "truth", 0.3 * k);
        picture(out, "value", 0.35 * k);
        locum_text_add(out, "}");
    }
    locum_text_add(out, "]}");
}

static void fields(locum_text *out)
{
    locum_text_add(out, ",\"surrogates\":[");
    for (int k = 0; k < 2; k++) surrogate_of_fields(out, k);
    locum_text_add(out, "],\"fields\":{\"leads\":4,\"times\":[0.25,0.5,0.75,1],\"history\":1,\"grid\":[64,64],"
                        "\"periodic\":true,\"valid_error\":0.5,\"valid_correlation\":0.8,\"baselines\":[{\"text\":"
                        "\"resolution 16 x 16\",\"best\":true");
    over_leads(out, "error_over_lead", 0.02, 1.7);
    over_leads(out, "seconds_over_lead", 1e-4, 2);
    locum_text_add(out, "}],\"trivial\":[{\"name\":\"persistence\"");
    errors_over_leads(out, 0.4);
    locum_text_add(out, "}],\"solver_spread\":{\"perturbation\":1e-6,\"samples\":4");
    errors_over_leads(out, 1e-5);
    locum_text_add(out, "},\"label_noise\":{\"text\":\"resolution 128 and half the step\",\"samples\":4");
    errors_over_leads(out, 1e-3);
    locum_text_add(out,
                   "},\"spectra\":[{\"output\":\"vorticity\",\"lead\":1,\"time\":0.25,\"samples\":16,\"truth\":[1,"
                   "0.5,0.1,0],\"surrogates\":[[1,0.4,0.2,0.01],[0.9,0.5,0.1,null]]}],\"budgets\":[{\"output\":"
                   "\"vorticity\",\"name\":\"enstrophy\",\"truth\":[7.77,7.6,7.5,7.4],\"surrogates\":[[7.7,7.5,7.3,"
                   "6.66],[7,null,null,null]]}]");
    sheet(out);
    locum_text_add(out, "}");
}

void sample_report(sample_kind kind, locum_text *out)
{
    head(out, kind);
    speedup(out, kind);
    coverage(out, kind);
    locum_text_add(out, ",\"inputs\":[{\"name\":\"viscosity\",\"unit\":\"1\",\"text\":\"kinematic "
                        "viscosity\",\"lower\":0.004,\"upper\":0.1,\"log\":true},{\"name\":\"drag\",\"unit\":\"1\"");
    string(out, "text", SAMPLE_MARKUP);
    locum_text_add(out, ",\"lower\":0.05,\"upper\":0.3,\"log\":true}]");
    outputs(out, kind == SAMPLE_BARE);
    samples(out);
    if (kind == SAMPLE_BARE)
        nothing_explained(out);
    else {
        explanations(out);
        snapshots(out);
    }
    if (kind == SAMPLE_STEP) fields(out);
    locum_text_add(out,
                   ",\"costs\":{\"generate_core_seconds\":%s,\"train_core_seconds\":57.2,\"validate_seconds\":48.1}",
                   kind == SAMPLE_BARE ? "null" : "331");
    string(out, "searched",
           kind == SAMPLE_BARE ? ""
                               : "30 settings: 5 resolutions with 6 windows each of one run with another seed, on 32 "
                                 "test samples. The error was bracketed");
    locum_text_add(out, ",\"provenance\":{\"program\":\"locum 0.1.0\",\"commit\":\"0123456789ab\",\"compiler\":\"GNU "
                        "12.2.0\",\"host\":\"example\",\"instruction_set\":\"avx512\","
                        "\"time\":\"2026-11-24T22:43:12Z\",\"ranks\":2,\"threads\":1,\"cores_allowed\":2}}\n");
}
