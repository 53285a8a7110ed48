/* SPDX-License-Identifier: BSD-3-Clause */
/* test_columns.c - columns of numbers from CSV and HDF5: what is read, and what is refused with its place. */
#include <hdf5.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "datasets/formats/columns.h"
#include "datasets/store/store.h"
#include "tests/unit/check.h"

static char path[] = "/tmp/locum_columns_XXXXXX";
static const char *const names[] = {"viscosity", "u"};
static const int64_t extents[] = {1, 2};

static void put(const char *text, size_t n)
{
    FILE *file = fopen(path, "wb");
    CU_ASSERT_FATAL(file != NULL);
    CU_ASSERT_EQUAL(fwrite(text, 1, n, file), n);
    fclose(file);
}

/* reads text and compares [rows of viscosity, then of u] */
static void reads(const char *text, int64_t expected_rows, const double *viscosity, const double *u)
{
    int64_t rows = -1;
    double *values[2];
    put(text, strlen(text));
    CHECK_OK(locum_columns_read(path, 2, names, extents, &rows, values));
    CU_ASSERT_EQUAL(rows, expected_rows);
    for (int64_t i = 0; i < rows && i < expected_rows && values[0]; i++) {
        CHECK_CLOSE(values[0][i], viscosity[i], 0); /* decimals are read exactly */
        for (int k = 0; k < 2; k++) CHECK_CLOSE(values[1][2 * i + k], u[2 * i + k], 0);
    }
    locum_columns_free(2, values);
}

/* the message must contain both words */
static void refuses(const char *text, const char *word, const char *other)
{
    int64_t rows;
    double *values[2] = {(double *)1, (double *)1};
    put(text, strlen(text));
    CHECK_FAILS(locum_columns_read(path, 2, names, extents, &rows, values), LOCUM_INPUT);
    if (!strstr(locum_status_message(), word) || !strstr(locum_status_message(), other))
        printf("\n    \"%s\" should contain \"%s\" and \"%s\"", locum_status_message(), word, other);
    CU_ASSERT(strstr(locum_status_message(), word) != NULL);
    CU_ASSERT(strstr(locum_status_message(), other) != NULL);
    CU_ASSERT(!values[0] && !values[1]);
}

static const double two[] = {0.01, -2e-3}, pairs[] = {1, 2, 3.5, -4};

static void a_header_names_the_columns_in_any_order(void)
{
    reads("u[1],viscosity,u[0]\n2,0.01,1\n-4,-2e-3,3.5\n", 2, two, pairs);
}

static void quotes_blanks_and_line_ends_do_not_matter(void)
{
    reads("\"u[1]\",\"viscosity\",\"u[0]\"\r\n \"2\" , 0.01,1\r\n\r\n-4,\t-2e-3 ,3.5", 2, two, pairs);
    reads("\xef\xbb\xbfu[0],u[1],viscosity\n1,2,0.01\n3.5,-4,-2e-3\n\n", 2, two, pairs);
}

static void columns_that_nobody_asked_for_may_hold_anything(void)
{
    reads("note,viscosity,u[0],u[1],u[2]\n\"a, \"\"b\"\"\nc\",0.01,1,2,x\n,-2e-3,3.5,-4,\n", 2, two, pairs);
}

static void numbers_do_not_follow_the_locale(void)
{
    if (!setlocale(LC_ALL, "de_DE.UTF-8")) printf("(no German locale here) ");
    reads("viscosity,u[0],u[1]\n0.01,1,2\n-2e-3,3.5,-4\n", 2, two, pairs);
    setlocale(LC_ALL, "C");
}

static void faults_are_told_with_their_line(void)
{
    refuses("viscosity,u[0]\n1,2\n", ":1:", "there are viscosity, u[0]");
    refuses("viscosity,u\n1,2\n", "u[0]", "2 values");
    refuses("viscosity,u[0],u[1],viscosity\n1,2,3,4\n", "twice", "viscosity");
    refuses("viscosity,u[0],u[1]\n1,2,3\n1,2\n", ":3:", "2 cells");
    refuses("viscosity,u[0],u[1]\n1,2,3\n\n1,2,3,4\n", ":4:", "4 cells");
    refuses("viscosity,u[0],u[1]\n1,2,3\n1,2,3e\n", ":3:", "`3e` in column `u`");
    refuses("viscosity,u[0],u[1]\n1,,3\n", ":2:", "``");
    refuses("viscosity,u[0],u[1]\n0x10,1,3\n", ":2:", "0x10");
    refuses("viscosity,u[0],u[1]\nnan,1,3\n", ":2:", "nan");
    refuses("viscosity,u[0],u[1]\n1e999,1,3\n", ":2:", "1e999");
    refuses("viscosity,u[0],u[1]\n\"1\n2\",1,3\n", ":2:", "not a finite number");
    refuses("viscosity,u[0],u[1]\n1,\"2,3\n", ":2:", "nobody closes");
    refuses("viscosity,u[0],u[1]\n1,\"2\"x,3\n", ":2:", "behind a closing quote");
    refuses("viscosity,u[0],u[1]\n\n", "no rows", "header");
    refuses("", "empty", "header");
}

static void a_missing_file_is_an_input_error(void)
{
    int64_t rows;
    double *values[2];
    CHECK_FAILS(locum_columns_read("/nonexistent/x.csv", 2, names, extents, &rows, values), LOCUM_INPUT);
}

static void no_cut_or_flipped_byte_breaks_the_reader(void)
{
    static const char text[] = "note,viscosity,u[0],u[1]\r\n\"a, \"\"b\",0.01,1,2\n\"\",-2e-3,3.5,-4\n";
    char changed[sizeof text];
    int64_t rows;
    double *values[2];
    int read = 0, refused = 0;
    for (size_t n = 0; n < sizeof text; n++)
        for (int byte = -1; byte < 256; byte += 17) { /* -1: cut only */
            memcpy(changed, text, sizeof text);
            if (byte >= 0 && n > 0) changed[n - 1] = (char)byte;
            put(changed, byte >= 0 ? sizeof text - 1 : n);
            locum_status st = locum_columns_read(path, 2, names, extents, &rows, values);
            CU_ASSERT(st == LOCUM_OK || st == LOCUM_INPUT);
            if (st)
                refused++;
            else
                read++;
            locum_columns_free(2, values);
        }
    CU_ASSERT(read > 50 && refused > 100); /* both happen, often */
}

/* --- HDF5 ---------------------------------------------------------------------------------------------- */
static void write_column(hid_t file, const char *name, hid_t type, int n_dims, const hsize_t *dims, const void *data)
{
    hid_t space = H5Screate_simple(n_dims, dims, NULL),
          set = H5Dcreate2(file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (data) CU_ASSERT(H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    H5Dclose(set);
    H5Sclose(space);
}

static void hdf5_columns_are_datasets(void)
{
    static const float viscosity[] = {0.5f, 0.25f, 0.125f};
    static const int u[] = {1, 2, 3, 4, 5, 6};
    hsize_t rows3[] = {3}, pairs3[] = {3, 2};
    int64_t rows = 0;
    double *values[2];
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    write_column(file, "viscosity", H5T_NATIVE_FLOAT, 1, rows3, viscosity);
    write_column(file, "u", H5T_NATIVE_INT, 2, pairs3, u);
    H5Fclose(file);
    CHECK_OK(locum_columns_read(path, 2, names, extents, &rows, values));
    CU_ASSERT_EQUAL(rows, 3);
    for (int i = 0; i < 3 && values[0]; i++) CHECK_CLOSE(values[0][i], viscosity[i], 0); /* powers of two: exact */
    for (int i = 0; i < 6 && values[1]; i++) CHECK_CLOSE(values[1][i], u[i], 0);
    locum_columns_free(2, values);
}

static void hdf5_refuses(const char *second, int n_dims, const hsize_t *dims, const double *data, const char *word)
{
    static const double viscosity[] = {1, 2, 3};
    hsize_t rows3[] = {3};
    int64_t rows;
    double *values[2];
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    write_column(file, "viscosity", H5T_NATIVE_DOUBLE, 1, rows3, viscosity);
    write_column(file, second, H5T_NATIVE_DOUBLE, n_dims, dims, data);
    H5Fclose(file);
    CHECK_FAILS(locum_columns_read(path, 2, names, extents, &rows, values), LOCUM_INPUT);
    if (!strstr(locum_status_message(), word))
        printf("\n    \"%s\" should contain \"%s\"", locum_status_message(), word);
    CU_ASSERT(strstr(locum_status_message(), word) != NULL);
}

static void hdf5_columns_must_fit(void)
{
    static const double u[] = {1, 2, 3, 4, 5, 6, 7, 8}, bad[] = {1, 2, 3, NAN, 5, 6};
    hdf5_refuses("w", 2, (hsize_t[]){3, 2}, u, "no dataset `u`; there are viscosity, w");
    hdf5_refuses("u", 1, (hsize_t[]){3}, u, "shape [rows, 2]");
    hdf5_refuses("u", 2, (hsize_t[]){4, 2}, u, "4 rows, others have 3");
    hdf5_refuses("u", 2, (hsize_t[]){3, 2}, bad, "row 1 of `u` is not a finite number");
    hdf5_refuses("u", 2, (hsize_t[]){3, 2}, NULL, "never written");
}

static void a_truncated_hdf5_file_is_refused(void)
{
    int64_t rows;
    double *values[2];
    char bytes[4096];
    hdf5_columns_are_datasets();
    FILE *file = fopen(path, "rb");
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t cut = 8; cut < n; cut += 97) {
        put(bytes, cut);
        locum_status st = locum_columns_read(path, 2, names, extents, &rows, values);
        CU_ASSERT(st == LOCUM_INPUT || st == LOCUM_DAMAGED);
    }
}

int main(void)
{
    static const check_entry entries[] = {
        {"a header names the columns in any order", a_header_names_the_columns_in_any_order},
        {"quotes, blanks and line ends do not matter", quotes_blanks_and_line_ends_do_not_matter},
        {"columns that nobody asked for may hold anything", columns_that_nobody_asked_for_may_hold_anything},
        {"numbers do not follow the locale", numbers_do_not_follow_the_locale},
        {"faults are told with their line", faults_are_told_with_their_line},
        {"a missing file is an input error", a_missing_file_is_an_input_error},
        {"no cut or flipped byte breaks the reader", no_cut_or_flipped_byte_breaks_the_reader},
        {"HDF5 columns are datasets", hdf5_columns_are_datasets},
        {"HDF5 columns must fit", hdf5_columns_must_fit},
        {"a truncated HDF5 file is refused", a_truncated_hdf5_file_is_refused}};
    int file = mkstemp(path);
    if (file < 0) return 1;
    close(file);
    locum_store_setup();
    int failed = check_run("columns", entries, (int)(sizeof entries / sizeof *entries));
    unlink(path);
    return failed;
}
