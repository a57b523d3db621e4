#!/bin/sh
# Prints the SBOM of one binary as SPDX 2.3 (tag-value): sbom.sh PACKAGE TARGET. Called by the Dockerfile; the same input gives the same bytes.
# The list is cargo's own, of what is linked or runs at build time; hashes are those of Cargo.lock.
set -eu
package=$1
target=$2
cargo tree --locked --quiet --package "$package" --target "$target" --edges normal,build --prefix none --no-dedupe --format '{p}|{l}' |
    sed 's| (proc-macro)||; s| (/[^)]*)||; s| (\*)||' | LC_ALL=C sort -u |
    LC_ALL=C awk -F'|' -v name="$package" '
        # Cargo.lock: name, version, checksum of each package, in this order.
        FILENAME != "-" {
            if ($0 ~ /^name = /) lock_name = unquote($0)
            if ($0 ~ /^version = /) lock_version = unquote($0)
            if ($0 ~ /^checksum = /) checksum[lock_name " " lock_version] = unquote($0)
            next
        }
        !printed_head {
            printed_head = 1
            print "SPDXVersion: SPDX-2.3"
            print "DataLicense: CC0-1.0"
            print "SPDXID: SPDXRef-DOCUMENT"
            print "DocumentName: " name
            print "DocumentNamespace: https://github.com/constella/constella/sbom/" name
            print "Creator: Tool: compose/sbom.sh"
            print "Created: 1970-01-01T00:00:00Z"
        }
        {
            split($1, part, " ")
            version = substr(part[2], 2)
            id = "SPDXRef-" part[1] "-" version
            gsub(/[^A-Za-z0-9.-]/, "-", id)
            sum = checksum[part[1] " " version]
            print ""
            print "PackageName: " part[1]
            print "SPDXID: " id
            print "PackageVersion: " version
            print "PackageDownloadLocation: " (sum == "" ? "NOASSERTION" : "https://crates.io/crates/" part[1] "/" version)
            print "FilesAnalyzed: false"
            if (sum != "") print "PackageChecksum: SHA256: " sum
            license = $2
            gsub(/\//, " OR ", license)
            print "PackageLicenseDeclared: " (license == "" ? "NOASSERTION" : license)
            print "ExternalRef: PACKAGE-MANAGER purl pkg:cargo/" part[1] "@" version
            # The document describes the program; the other packages are what it is made of.
            if (part[1] == name) print "Relationship: SPDXRef-DOCUMENT DESCRIBES " id
        }
        function unquote(line) { sub(/^[^"]*"/, "", line); sub(/".*$/, "", line); return line }
    ' Cargo.lock -
