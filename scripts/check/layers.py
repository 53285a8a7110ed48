#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""layers.py - reads every #include and every call against the layering table: who may use whom.

    layers.py [--root FOLDER]     prints each violation as file:line: text; exit code 1 if there is one
    layers.py --self-test         plants violations in a scratch tree and must find each of them

A file belongs to the row with the longest matching folder. Internal includes are resolved beside the file, at the
root, then under include/. Outside libraries count through headers too: who includes a header that includes mpi.h uses MPI.
"""
import argparse
import os
import re
import sys
import tempfile

# ---- the table ---------------------------------------------------------------------------------------------------------
LIBC = set("""assert complex ctype dirent dlfcn errno fcntl fenv float fnmatch ftw getopt glob inttypes libgen limits locale math
netdb poll pthread pwd sched setjmp signal stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings
tgmath spawn time unistd wchar alloca malloc features sys/file sys/ioctl sys/mman sys/prctl sys/resource sys/select sys/stat
sys/statvfs sys/syscall sys/time sys/types sys/uio sys/utsname sys/vfs sys/wait immintrin cpuid""".split())
OUTSIDE = [  # (pattern of a header, name of what it belongs to)
    (r"mpi\.h", "MPI"), (r"hdf5(_hl)?\.h|H5\w+\.h", "HDF5"), (r"fftw3(-mpi)?\.h", "FFTW"), (r"yaml\.h", "libyaml"),
    (r"(openblas/)?cblas\.h|lapacke?\.h|openblas_config\.h", "BLAS"), (r"(oneapi/dnnl/)?dnnl\w*\.h", "oneDNN"), (r"petsc\w*\.h", "PETSc"),
    (r"xxhash\.h", "xxHash"), (r"Random123/.*", "Random123"), (r"CUnit/.*", "CUnit"),
    (r"stdio\.h", "stdio"), (r"dlfcn\.h", "dlopen"),
]
GENERATED = ["locum_build_info.h"]  # made by CMake
PUBLIC = ["include/locum"]
CORE = ["core", "-core/study", "-core/parallel"] + PUBLIC
BASE = CORE + ["core/study", "core/parallel"]

# folder: (folders it may include besides its own, outside libraries it may use)
TABLE = {
    "include/locum": ([], []),
    "include/locum/dev": (PUBLIC, ["MPI"]),
    "core": (CORE, ["stdio"]),
    "core/hash.c": (CORE, ["xxHash"]),
    "core/random.c": (CORE, ["Random123"]),
    "core/study": (CORE + ["core/study"], ["libyaml", "stdio"]),
    "core/parallel": (CORE, ["MPI", "stdio"]),
    "solvers/numerics": (CORE + ["core/parallel", "solvers/numerics"], ["MPI"]),
    "solvers/numerics/fft": (CORE + ["core/parallel", "solvers/numerics"], ["MPI", "FFTW"]),
    "solvers/navier_stokes": (CORE + ["core/parallel", "solvers/numerics"], ["MPI"]),
    "solvers/navier_stokes/walls": (CORE + ["core/parallel", "solvers/numerics", "solvers/navier_stokes"], ["MPI", "PETSc"]),
    "solvers/darcy": (CORE + ["core/parallel", "solvers/numerics"], ["MPI", "PETSc"]),
    "solvers/burgers": (CORE + ["core/parallel", "solvers/numerics"], ["MPI"]),
    "solvers/nbody": (CORE + ["core/parallel", "solvers/numerics"], ["MPI"]),
    "solvers/fewbody": (CORE + ["core/parallel", "solvers/numerics"], ["MPI"]),
    "solvers/molecular": (CORE + ["core/parallel", "solvers/numerics"], ["MPI"]),
    "solvers/molecular/quantum": (CORE + ["core/parallel", "solvers/numerics", "solvers/molecular"], ["MPI", "dlopen"]),
    "solvers/external": (CORE + ["core/parallel", "solvers/numerics"], ["MPI"]),
    "solvers/solver_list.h": (["solvers"] + PUBLIC, ["MPI"]),
    "solvers/solver_list.c": (["solvers"] + PUBLIC, ["MPI"]),
    # committed files (core/study/commit.h) and the log are what a writer of files needs of core/study
    "datasets/store": (BASE, ["HDF5", "MPI", "stdio"]),
    "datasets/loader": (BASE + ["datasets/store"], ["HDF5", "MPI", "stdio"]),
    "datasets/formats": (BASE + ["datasets/store"], ["HDF5", "MPI", "stdio"]),
    "datasets/campaign": (BASE + ["datasets/store", "datasets/formats"], ["MPI", "stdio"]),
    "surrogate/graph": (CORE, ["stdio"]),
    "surrogate/kernels": (CORE, ["stdio"]),
    "surrogate/plan": (CORE + ["surrogate/graph", "surrogate/kernels"], ["stdio"]),
    "surrogate/runtime": (CORE + ["surrogate/plan", "surrogate/graph", "surrogate/kernels"], ["stdio"]),
    "surrogate/models": (CORE + ["surrogate/graph"], ["stdio"]),
    "surrogate/adapters": (CORE + ["surrogate/kernels"], ["BLAS", "oneDNN"]),
    "surrogate/train": (BASE + ["surrogate/models", "surrogate/graph", "surrogate/plan", "surrogate/kernels", "surrogate/adapters", "surrogate/runtime",
                                "surrogate/calibrate", "datasets/loader", "datasets/store"], ["MPI", "stdio"]),
    "surrogate/calibrate": (BASE + ["surrogate/models", "surrogate/graph", "surrogate/plan", "surrogate/kernels", "surrogate/runtime",
                                    "datasets/loader", "datasets/store"], ["MPI", "stdio"]),
    "surrogate/as_solver": (CORE + ["core/parallel", "surrogate/runtime"], ["MPI"]),
    "surrogate/validate": (BASE + ["surrogate/runtime", "surrogate/calibrate", "surrogate/as_solver", "datasets/loader", "datasets/store",
                                   "datasets/formats", "datasets/campaign", "solvers/numerics/analysis"], ["MPI", "stdio"]),
    "surrogate/bindings": (CORE + ["surrogate/runtime"], []),
    "cli": (BASE + ["datasets", "solvers/numerics/analysis", "surrogate/models", "surrogate/train", "surrogate/calibrate", "surrogate/as_solver", "surrogate/validate",
                    "surrogate/runtime", "surrogate/graph", "surrogate/plan", "surrogate/kernels", "solvers/solver_list.h", "cli/report"], ["MPI", "stdio"]),
    "cli/solvers.c": (BASE + ["cli", "solvers/solver_list.h"], ["MPI", "stdio", "dlopen"]),  # plug-ins
    "cli/report": (BASE, ["stdio"]),  # reads report.json, and nothing else
    "tests": ([""], None),            # may see everything
    "scripts": ([""], None),
}

# calls that a library must not make: (folders, exceptions, names, why)
BANNED = [
    (["core", "solvers", "datasets", "surrogate"], [], ["exit", "abort", "_exit", "quick_exit"], "a library never ends the program"),
    (["core", "solvers", "datasets", "surrogate"], ["core/study/log.c"],
     ["printf", "vprintf", "puts", "putchar", "perror", "fprintf(stderr", "fprintf(stdout", "fputs(stderr"], "a library never prints"),
    (["core"], ["core/study"], ["fopen", "fclose", "fwrite", "fread", "fputs"], "core opens no file"),
    (["solvers", "surrogate"], [], ["getenv", "secure_getenv"], "options come from the study alone"),
    (["core", "solvers", "datasets", "surrogate", "cli"], [], ["rand", "srand", "random", "drand48"], "random numbers are core/random.h's"),
    (["core", "solvers", "datasets", "surrogate", "cli"], [], ["strtok", "setlocale", "gets"], "not safe beside other threads"),
    (["core", "solvers", "datasets", "surrogate"], [], ["MPI_Init", "MPI_Init_thread", "MPI_Finalize", "MPI_Abort"], "the program owns MPI"),
]
# ------------------------------------------------------------------------------------------------------------------------

SOURCE = re.compile(r"\.(c|h|inc)$")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def sources(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if not f.startswith(".") and not f.startswith("build") and f not in ("runs", "outside"))
        for name in sorted(files):
            if SOURCE.search(name):
                yield os.path.relpath(os.path.join(folder, name), root).replace(os.sep, "/")


def inside(path, folder):
    return folder == "" or path == folder or path.startswith(folder + "/")


def row_of(path):
    rows = [folder for folder in TABLE if inside(path, folder)]
    return max(rows, key=len) if rows else None


def allowed(path, target, row):
    """May `path` include `target`? The longest matching entry decides, the later of equals; "-folder" forbids. An entry folder does not cover a
    deeper row of its own unless that row is named too: `core` does not stand for core/study."""
    if inside(target, row if not row.endswith((".c", ".h")) else os.path.dirname(path)):
        own = row_of(target)
        if own == row or own.endswith((".c", ".h")):
            return True
    best, verdict = -1, False
    for entry in TABLE[row][0]:
        forbid, folder = entry.startswith("-"), entry.lstrip("-")
        if inside(target, folder) and len(folder) >= best:
            best, verdict = len(folder), not forbid
    return verdict


def outside_name(header):
    for pattern, name in OUTSIDE:
        if re.fullmatch(pattern, header):
            return name
    return None


def strip(text):
    """Comments and strings become blanks, lines stay."""
    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    keep = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(pattern, keep, text, flags=re.S)


class Tree:
    def __init__(self, root):
        self.root = root
        self.files = list(sources(root))
        self.known = set(self.files)
        self.text = {}
        self.includes = {}  # path -> [(line, angle, header, internal path or None)]
        for path in self.files:
            with open(os.path.join(root, path), encoding="utf-8", errors="replace") as f:
                self.text[path] = f.read()
            self.includes[path] = list(self.read_includes(path))
        self.reach = {}

    def read_includes(self, path):
        for number, line in enumerate(self.text[path].split("\n"), 1):
            match = INCLUDE.match(line)
            if match:
                yield number, match.group(1) == "<", match.group(2), self.resolve(path, match.group(2))

    def resolve(self, path, header):
        for base in (os.path.dirname(path), "", "include"):
            candidate = os.path.normpath(os.path.join(base, header)).replace(os.sep, "/")
            if candidate in self.known:
                return candidate
        return None

    def outside_of(self, path, seen=()):
        """Outside libraries that a header brings along."""
        if path in self.reach:
            return self.reach[path]
        found = set()
        for _, _, header, target in self.includes[path]:
            if target is None:
                name = outside_name(header)
                if name and name not in ("stdio", "dlopen"):  # those are about one's own calls
                    found.add(name)
            elif target not in seen:
                found |= self.outside_of(target, seen + (path,))
        self.reach[path] = found
        return found


def check_includes(tree, path, row):
    libraries = TABLE[row][1]
    for line, angle, header, target in tree.includes[path]:
        if target is not None:
            if not allowed(path, target, row):
                yield line, "%s may not include %s" % (row, target)
            elif libraries is not None:
                for name in sorted(tree.outside_of(target) - set(libraries)):
                    yield line, "%s may not use %s, which comes with %s" % (row, name, target)
            continue
        name = outside_name(header)
        if name:
            if libraries is not None and name not in libraries:
                yield line, "%s may not use %s" % (row, name)
        elif (angle and header[:-2] in LIBC) or header in GENERATED:
            continue
        elif libraries is not None:
            yield line, "unknown header %s" % header


def check_calls(tree, path):
    text = None
    for folders, exceptions, names, why in BANNED:
        if not any(inside(path, f) for f in folders) or any(inside(path, e) for e in exceptions):
            continue
        text = text if text is not None else strip(tree.text[path])
        for name in names:
            call, _, argument = name.partition("(")
            pattern = r"(?<![\w.>])%s\s*\(%s" % (re.escape(call), r"\s*%s\b" % re.escape(argument) if argument else "")
            for match in re.finditer(pattern, text):
                yield text.count("\n", 0, match.start()) + 1, "%s(): %s" % (call, why)


def violations(root):
    tree = Tree(root)
    for path in tree.files:
        row = row_of(path)
        if row is None:
            yield path, 1, "no row of the layering table covers this folder"
            continue
        for line, text in check_includes(tree, path, row):
            yield path, line, text
        for line, text in check_calls(tree, path):
            yield path, line, text


# ---- self-test ---------------------------------------------------------------------------------------------------------
CLEAN = {
    "include/locum/status.h": "#include <stddef.h>\n",
    "include/locum/dev/solver.h": "#include <mpi.h>\n#include \"locum/status.h\"\n",
    "core/text.h": "#include \"locum/status.h\"\n",
    "core/text.c": "#include <stdio.h>\n#include \"core/text.h\"\nint f(void) { return snprintf(0, 0, \"exit(1)\"); } /* exit(1) */\n",
    "core/hash.c": "#include <xxhash.h>\n",
    "core/study/study.h": "#include \"core/text.h\"\n",
    "core/study/log.c": "#include <stdio.h>\nvoid f(void) { fprintf(stderr, \"x\"); }\n",
    "core/parallel/comm.h": "#include <mpi.h>\n",
    "solvers/numerics/fft/plane.h": "#include <fftw3.h>\n",
    "solvers/numerics/analysis/spectrum.h": "#include <stddef.h>\n",
    "solvers/navier_stokes/periodic/solver.h": "#include \"locum/dev/solver.h\"\n",
    "solvers/navier_stokes/periodic/solver.c": "#include \"solver.h\"\n#include \"solvers/numerics/analysis/spectrum.h\"\n#include \"core/parallel/comm.h\"\n",
    "solvers/nbody/forces.h": "",
    "solvers/solver_list.h": "#include \"solvers/navier_stokes/periodic/solver.h\"\n",
    "datasets/store/store.h": "#include <hdf5.h>\n",
    "surrogate/graph/graph.h": "#include \"core/text.h\"\n",
    "surrogate/runtime/model.h": "#include \"surrogate/graph/graph.h\"\n",
    "surrogate/train/train.h": "#include \"core/parallel/comm.h\"\n",
    "cli/main.c": "#include <mpi.h>\n#include \"solvers/solver_list.h\"\nint main(void) { exit(0); }\n",
    "tests/unit/a.c": "#include <CUnit/Basic.h>\n#include \"solvers/nbody/forces.h\"\n",
}
PLANTED = {  # file: (text, what the complaint must contain)
    "core/a.c": ("#include <mpi.h>\n", "may not use MPI"),
    "core/b.c": ("#include \"core/study/study.h\"\n", "may not include core/study/study.h"),
    "core/c.c": ("void f(void) { printf(\"x\"); }\n", "never prints"),
    "core/d.c": ("#include <xxhash.h>\n", "may not use xxHash"),
    "core/e.c": ("void f(void) { exit (1); }\n", "never ends the program"),
    "core/f.c": ("#include \"unheard_of.h\"\n", "unknown header"),
    "core/g.c": ("void f(void) { fprintf(stderr, \"x\"); }\n", "never prints"),
    "core/study/a.c": ("#include \"locum/dev/solver.h\"\n", "may not use MPI, which comes with"),
    "core/parallel/a.c": ("#include <hdf5.h>\n", "may not use HDF5"),
    "solvers/numerics/a.c": ("#include <fftw3.h>\n", "may not use FFTW"),
    "solvers/numerics/b.c": ("#include \"solvers/nbody/forces.h\"\n", "may not include solvers/nbody"),
    "solvers/navier_stokes/a.c": ("#include \"solvers/nbody/forces.h\"\n", "may not include solvers/nbody"),
    "solvers/navier_stokes/b.c": ("#include <stdio.h>\n", "may not use stdio"),
    "solvers/navier_stokes/c.c": ("void f(void) { getenv(\"X\"); }\n", "options come from the study"),
    "solvers/navier_stokes/d.c": ("#include \"datasets/store/store.h\"\n", "may not include datasets/store"),
    "solvers/nbody/a.c": ("#include <hdf5.h>\n", "may not use HDF5"),
    "datasets/store/a.c": ("#include \"solvers/navier_stokes/periodic/solver.h\"\n", "may not include solvers"),
    "datasets/campaign/a.c": ("#include \"solvers/solver_list.h\"\n", "may not include solvers/solver_list.h"),
    "surrogate/graph/a.c": ("#include <cblas.h>\n", "may not use BLAS"),
    "surrogate/kernels/a.c": ("#include \"surrogate/graph/graph.h\"\n", "may not include surrogate/graph"),
    "surrogate/plan/a.c": ("#include \"core/parallel/comm.h\"\n", "may not include core/parallel"),
    "surrogate/runtime/a.c": ("#include <hdf5.h>\n", "may not use HDF5"),
    "surrogate/adapters/a.c": ("#include \"surrogate/runtime/model.h\"\n", "may not include surrogate/runtime"),
    "surrogate/validate/a.c": ("#include \"surrogate/train/train.h\"\n", "may not include surrogate/train"),
    "surrogate/validate/b.c": ("#include \"solvers/navier_stokes/periodic/solver.h\"\n", "may not include solvers"),
    "surrogate/as_solver/a.c": ("#include \"surrogate/train/train.h\"\n", "may not include surrogate/train"),
    "surrogate/bindings/a.c": ("#include \"surrogate/graph/graph.h\"\n", "may not include surrogate/graph"),
    "surrogate/train/a.c": ("void f(void) { srand(1); }\n", "random numbers"),
    "cli/report/a.c": ("#include \"datasets/store/store.h\"\n", "may not include datasets/store"),
    "cli/a.c": ("#include \"solvers/nbody/forces.h\"\n", "may not include solvers/nbody"),
    "include/locum/a.h": ("#include \"locum/dev/solver.h\"\n", "may not include include/locum/dev"),
    "somewhere/a.c": ("", "no row"),
}


def write_tree(root, files):
    for path, text in files.items():
        full = os.path.join(root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as f:
            f.write(text)


def self_test():
    failed = []
    with tempfile.TemporaryDirectory() as root:
        write_tree(root, CLEAN)
        failed += ["clean tree: %s:%d: %s" % v for v in violations(root)]
        write_tree(root, {path: text for path, (text, _) in PLANTED.items()})
        found = list(violations(root))
        for path, (_, expected) in PLANTED.items():
            if not any(p == path and expected in text for p, _, text in found):
                failed.append("not found: %s (%s)" % (path, expected))
        failed += ["false alarm: %s:%d: %s" % v for v in found if v[0] not in PLANTED]
    for line in failed:
        print(line)
    print("layers self-test: %d planted violations, %d faults" % (len(PLANTED), len(failed)))
    return 1 if failed else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    found = list(violations(os.path.abspath(arguments.root)))
    for path, line, text in found:
        print("%s:%d: %s" % (path, line, text))
    print("layers: %d violations" % len(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
