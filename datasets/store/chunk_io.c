/* SPDX-License-Identifier: BSD-3-Clause */
/* chunk_io.c - whole chunks past HDF5's pipeline.
 *
 * A grid array of ours is cut along one axis only, and a serial writer or reader moves whole frames: then a chunk's
 * bytes are the values followed by four bytes of Fletcher-32, and H5Dwrite_chunk, H5Dread_chunk move them as they
 * are. The file is the one that H5Dwrite would make (a unit test reads each with the other).
 *
 * The checksum: s1 = sum w_i, s2 = sum (n - i) w_i over 16-bit big-endian words, both modulo 65535 (J. Fletcher,
 * IEEE Trans. Commun. 30, 247, 1982). Modulo 65535 the exchange of the two bytes is a factor of 256, so sums of
 * little-endian words need only be swapped at the end. Blocks of G groups of L words are summed lane by lane with
 * additions alone, in vectors of 32-bit numbers that hold two words each (vectors of the compilers: gcc's own choice for
 * the plain loop is scalar, and ten times slower):
 *      a_l = sum_g w_gl,   b_l = sum_g (G - g) w_gl        then, with n = G L words in the block,
 *      s2 += n s1 + sum_l (L b_l - l a_l),   s1 += sum_l a_l
 * Sums that are 0 modulo 65535 are written as 65535 unless all words are 0: what folding carries gives. */
#include "datasets/store/chunk_io.h"

#include <string.h>

#define LANES 8
#define GROUPS 256 /* of a block: 256 * 257 / 2 * 65535 = 2.16e9 fits 32 unsigned bits */
#define SIGNATURE 4

static uint32_t swap_bytes(uint64_t sum)
{
    uint32_t rest = (uint32_t)(sum % 65535);

    if (sum && !rest) rest = 65535;
    return (rest >> 8 | rest << 8) & 0xffff;
}

/* residues in 1 .. 65535, and 0 for 0 alone */
static uint64_t fold(uint64_t sum)
{
    return sum > 65535 ? (sum - 1) % 65535 + 1 : sum;
}

/* n_groups groups of LANES words: in each lane a = sum w, b = sum (n_groups - g) w */
typedef uint32_t pairs __attribute__((vector_size(LANES * 2)));

static void sum_lanes(const unsigned char *bytes, size_t n_groups, uint32_t a_out[LANES], uint32_t b_out[LANES])
{
    pairs a_even = {0}, a_odd = {0}, b_even = {0}, b_odd = {0};

    for (size_t g = 0; g < n_groups; g++) {
        pairs w;
        memcpy(&w, bytes + g * sizeof w, sizeof w);
        a_even += w & 0xffff; /* of a little-endian machine */
        a_odd += w >> 16;
        b_even += a_even;
        b_odd += a_odd;
    }
    for (int l = 0; l < LANES / 2; l++) {
        a_out[2 * l] = a_even[l];
        a_out[2 * l + 1] = a_odd[l];
        b_out[2 * l] = b_even[l];
        b_out[2 * l + 1] = b_odd[l];
    }
}

uint32_t locum_fletcher32(const void *data, size_t n)
{
    const unsigned char *bytes = data;
    size_t words = n / 2;
    uint64_t s1 = 0, s2 = 0;

    while (words >= LANES) {
        uint32_t a[LANES], b[LANES];
        size_t n_groups = words / LANES < GROUPS ? words / LANES : GROUPS;
        int64_t sum = 0, weighted = 0;
        sum_lanes(bytes, n_groups, a, b);
        for (int l = 0; l < LANES; l++) {
            sum += a[l];
            weighted += LANES * (int64_t)b[l] - l * (int64_t)a[l];
        }
        s2 = fold(s2 + n_groups * LANES * s1 + (uint64_t)weighted);
        s1 = fold(s1 + (uint64_t)sum);
        bytes += n_groups * LANES * 2;
        words -= n_groups * LANES;
    }
    for (; words > 0; words--, bytes += 2) {
        uint16_t w;
        memcpy(&w, bytes, sizeof w);
        s1 = fold(s1 + w);
        s2 = fold(s2 + s1);
    }
    return swap_bytes(s2) << 16 | swap_bytes(s1);
}

void locum_chunk_slabs_of(hid_t dataset, int n_dims, const hsize_t *dims, int axis, size_t value_bytes,
                          locum_chunk_slabs *slabs)
{
    hsize_t chunk[LOCUM_HDF5_DIMS];
    hid_t property = H5Dget_create_plist(dataset);
    const uint16_t one = 1;
    unsigned flags = 0;
    size_t none = 0;

    *slabs = (locum_chunk_slabs){.n_dims = n_dims, .axis = axis, .row_bytes = value_bytes};
    if (property >= 0 && axis < n_dims && H5Pget_layout(property) == H5D_CHUNKED &&
        H5Pget_chunk(property, n_dims, chunk) == n_dims) {
        bool fits = *(const unsigned char *)&one == 1; /* a little-endian machine */
        for (int d = 0; d < n_dims; d++) fits = fits && (d == axis || chunk[d] == (d < axis ? 1 : dims[d]));
        for (int d = axis + 1; d < n_dims; d++) slabs->row_bytes *= dims[d];
        slabs->rows = chunk[axis];
        slabs->n_axis = dims[axis];
        slabs->direct = fits && slabs->row_bytes % 2 == 0 && H5Pget_nfilters(property) == 1 &&
                        H5Pget_filter2(property, 0, &flags, &none, NULL, 0, NULL, NULL) == H5Z_FILTER_FLETCHER32;
    }
    H5Eclear2(H5E_DEFAULT);
    if (property >= 0) H5Pclose(property);
}

size_t locum_chunk_bytes(const locum_chunk_slabs *slabs)
{
    return (size_t)slabs->rows * slabs->row_bytes + SIGNATURE;
}

bool locum_chunk_write(hid_t dataset, hid_t transfer, const locum_chunk_slabs *slabs, const hsize_t *offset, hsize_t n,
                       void *buffer)
{
    size_t size = (size_t)slabs->rows * slabs->row_bytes, filled = (size_t)n * slabs->row_bytes;
    unsigned char *bytes = buffer;

    memset(bytes + filled, 0, size - filled);
    uint32_t sum = locum_fletcher32(bytes, size);
    for (int i = 0; i < SIGNATURE; i++) bytes[size + (size_t)i] = (unsigned char)(sum >> (8 * i));
    return H5Dwrite_chunk(dataset, transfer, 0, offset, size + SIGNATURE, buffer) >= 0;
}

int locum_chunk_read(hid_t dataset, const locum_chunk_slabs *slabs, const hsize_t *offset, void *buffer)
{
    size_t size = (size_t)slabs->rows * slabs->row_bytes;
    const unsigned char *bytes = buffer;
    hsize_t stored = 0;
    uint32_t filters = 0, sum = 0;

    if (H5Dget_chunk_storage_size(dataset, offset, &stored) < 0 || stored != size + SIGNATURE ||
        H5Dread_chunk(dataset, H5P_DEFAULT, offset, &filters, buffer) < 0)
        return 1;
    for (int i = 0; i < SIGNATURE; i++) sum |= (uint32_t)bytes[size + (size_t)i] << (8 * i);
    return filters == 0 && sum == locum_fletcher32(buffer, size) ? 0 : 2;
}
