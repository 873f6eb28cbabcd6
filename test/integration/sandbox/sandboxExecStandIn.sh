#!/bin/sh
# Takes what sandbox-exec takes, notes it, and puts up no walls: for everything around them.
if [ -n "$CORDON_TEST_NOTE" ]; then printf '%s\0' "$@" > "$CORDON_TEST_NOTE"; fi
while [ $# -gt 0 ]; do
  case $1 in
  -f | -D) shift 2 ;;
  -p) shift 2; exec "$@" ;;
  --) shift; exec "$@" ;;
  *) echo "sandbox-exec: unknown option $1" >&2; exit 64 ;;
  esac
done
