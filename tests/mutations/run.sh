#!/bin/sh
# Breaks one rule of the core at a time, in a copy, and shows which check notices: a unit test of the core, the model, and the simulator.
#
#   tests/mutations/run.sh [name ...]    all of them, or those that are named
#
# Each tests/mutations/*.patch is one mutation; its first lines say which rule it breaks and, after "simulate:", with what the simulator is
# run besides every scenario file. Exit status 1 where a mutation survives all three, or where the unbroken core fails.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
work=${MUTATIONS_DIR:-$repository/target/mutations}
jobs=${JOBS:-2}
# Outside of any repository for git, so that it patches the copy.
export GIT_CEILING_DIRECTORIES="$work" CARGO_TARGET_DIR="$work/target"

plant() { # The core, what it shares, the model and the simulator: no TLS, no runtime, a minute of building.
    mkdir -p "$work/tests/src/botapi" "$work/tests/src/bin"
    cp "$repository/Cargo.lock" "$work/"
    sed 's|^members.*|members = ["shared", "controller/core", "tests"]|; /^constella-agent/d; /^constella-figures/d; /^constella-controller/d' \
        "$repository/Cargo.toml" > "$work/Cargo.toml"
    sed '/^\[dev-dependencies\]/,$d; /constella-agent\|constella-controller\|tokio\|warp\|hyper\|http-body\|rustls/d
         /reqwest\|tempfile\|getrandom\|form_urlencoded\|^bytes/d' "$repository/tests/Cargo.toml" > "$work/tests/Cargo.toml"
    printf '[dev-dependencies]\nstateright.workspace = true\n' >> "$work/tests/Cargo.toml"
    printf '//! Only the simulator.\npub mod botapi {\n    //! Only the queue.\n    pub mod model;\n    pub use model::png_of as png;\n}\npub mod sim;\n' \
        > "$work/tests/src/lib.rs"
    for part in shared controller/core tests/src/sim tests/src/botapi/model tests/src/bin/simulate.rs tests/scenarios tests/tests/model; do
        mkdir -p "$work/$(dirname "$part")"
        rm -rf "${work:?}/$part"
        cp -R "$repository/$part" "$work/$part"
    done
}

build() { (cd "$work" && cargo test --quiet --workspace --lib --bins --no-run -j "$jobs") > "$work/build.log" 2>&1; }

unit() { # The first unit test that fails, or nothing.
    (cd "$work" && cargo test --quiet --workspace --lib -j "$jobs") > "$work/unit.log" 2>&1 || true
    failed "$work/unit.log"
}

model() { # The first test of the model that fails, or nothing.
    (cd "$work" && cargo test --quiet --package constella-tests --test model -j "$jobs") > "$work/model.log" 2>&1 || true
    failed "$work/model.log"
}

failed() { # The first name in a log of tests.
    sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p; s/^    \([a-z0-9:]*_[a-z0-9_:]*\)$/\1/p' "$1" | head -n 1
}

simulated() { # What breaks first: a scenario's name and rule, or a seed and its rule.
    (cd "$work" && cargo build --quiet --workspace --bin simulate -j "$jobs") >> "$work/build.log" 2>&1
    simulate="$work/target/debug/simulate"
    found=
    for file in "$work"/tests/scenarios/*.toml; do
        if ! "$simulate" --scenario "$file" > "$work/run.log" 2>&1; then
            rule=$(sed -n 's/^rule \([^ ]*\) broken.*/\1/p' "$work/run.log" | head -n 1)
            found="${found:+$found, }$(basename "$file" .toml) (${rule:-panic})"
        fi
    done
    for options in "$@"; do
        # shellcheck disable=SC2086 # options are words
        if ! "$simulate" $options --no-shrink > "$work/run.log" 2>&1; then
            found="${found:+$found, }$(sed -n 's/^# seed \([0-9]*\): rule \([^ ]*\) broken.*/seed \1 (\2)/p' "$work/run.log" | head -n 1) of $options"
        fi
    done
    echo "$found"
}

plant
build || { cat "$work/build.log"; exit 1; }
survived=0
if [ $# -eq 0 ]; then
    set -- none
    for patch in "$here"/*.patch; do set -- "$@" "$(basename "$patch" .patch)"; done
fi
printf '| mutation | unit test | model | simulator |\n|---|---|---|---|\n'
for name in "$@"; do
    rm -rf "$work/controller/core" && cp -R "$repository/controller/core" "$work/controller/core"
    options="--nodes 3 --hours 30 --seed 1"
    what="nothing is broken"
    if [ "$name" != none ]; then
        patch="$here/$name.patch"
        what=$(sed -n 's/^breaks: //p' "$patch")
        more=$(sed -n 's/^simulate: //p' "$patch")
        options=${more:-$options}
        (cd "$work" && git apply "$patch") || { echo "$name does not fit the core any more"; exit 1; }
    fi
    build || { cat "$work/build.log"; echo "$name does not build"; exit 1; }
    by_unit=$(unit)
    by_model=$(model)
    by_simulator=$(simulated "$options")
    printf '| %s: %s | %s | %s | %s |\n' "$name" "$what" "${by_unit:--}" "${by_model:--}" "${by_simulator:--}"
    if [ "$name" = none ]; then
        [ -z "$by_unit$by_model$by_simulator" ] || survived=1
    else
        [ -n "$by_unit$by_model$by_simulator" ] || survived=1
    fi
done
exit $survived
