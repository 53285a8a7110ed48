/* SPDX-License-Identifier: BSD-3-Clause */
/* claim.c - one process at a time: flock on a file beside the work. The lock dies with its owner, so that nothing is
 * left to clean after kill -9. The file is removed by the last owner; whoever locked a file that was removed
 * meanwhile tries again. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/campaign/campaign_parts.h"

static bool still_there(const char *path, int descriptor)
{
    struct stat mine, now;

    return fstat(descriptor, &mine) == 0 && stat(path, &now) == 0 && mine.st_ino == now.st_ino &&
           mine.st_dev == now.st_dev;
}

locum_status locum_claim_take(const char *path, bool shared, int *descriptor)
{
    for (;;) {
        *descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        LOCUM_REQUIRE(*descriptor >= 0, LOCUM_IO, "cannot make %s: %s", path, strerror(errno));
        if (flock(*descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
            int why = errno;
            close(*descriptor);
            *descriptor = -1;
            LOCUM_REQUIRE(why != EWOULDBLOCK, LOCUM_BUSY, "another process works on this (%s is locked)", path);
            return LOCUM_FAIL(LOCUM_IO, "cannot lock %s: %s", path, strerror(why));
        }
        if (still_there(path, *descriptor)) return LOCUM_OK;
        close(*descriptor);
    }
}

void locum_claim_release(const char *path, int descriptor)
{
    if (descriptor < 0) return;
    /* alone: nobody loses a lock by the removal */
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0 && still_there(path, descriptor)) unlink(path);
    close(descriptor);
}
