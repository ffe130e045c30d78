#!/bin/sh
# Is there a Chromium for the browser tests? Installs one only in CI or when INSTALL_BROWSER=1.
for browser in "$CHROMIUM" chromium-headless-shell chromium google-chrome; do
    [ -n "$browser" ] && command -v "$browser" >/dev/null && exit 0
done
if [ -n "$CI$INSTALL_BROWSER" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq &&
        apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core >/dev/null &&
        exit 0
fi
echo "The browser tests are skipped: there is no Chromium." >&2
echo "Install it with: sudo apt-get install chromium   (or set CHROMIUM=/path/to/chrome)" >&2
[ -z "$CI$REQUIRE_BROWSER" ]
