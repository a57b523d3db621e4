#!/usr/bin/env bash
# Makes DejaVuSans-subset.ttf again, from DejaVu Sans 2.37 (Debian: fonts-dejavu-core), with pyftsubset (pip: fonttools 4.68).
# Latin with the accents of Europe, Cyrillic, and the marks of charts; no hints, no ligatures, no kerning.
set -euo pipefail
cd "$(dirname "$0")"
from=${1:-/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf}
pyftsubset "$from" \
  --unicodes=U+0020-007E,U+00A0-017F,U+0400-045F,U+0490-0491,U+2010-2015,U+2026,U+2116,U+2212 \
  --layout-features= --no-hinting --notdef-outline --name-IDs=0,1,2,5 --name-languages=0x409 \
  --drop-tables+=DSIG,FFTM,GDEF,GPOS,GSUB,MATH,kern \
  --output-file=DejaVuSans-subset.ttf
