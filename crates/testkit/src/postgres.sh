# Keeps one throw-away PostgreSQL for the process that holds the other end of our standard input.
#
#   sh -c "$(cat postgres.sh)" postgres BIN TEMPLATE PLACE [SETTING...]
#
# Says `ready FOLDER` once the server takes connections on its socket in FOLDER, or what went wrong; then our standard
# output ends. When our standard input ends, which the kernel sees to however that process dies, the server is stopped
# and the folder removed.
#
# BIN       the folder of PostgreSQL's programs
# TEMPLATE  a cluster fresh from initdb, which takes five times as long as a copy of it; made here if it is missing
# PLACE     `disk`, or `memory` for a folder in memory if TMPDIR says nothing else and there is room
# SETTING   arguments of the server, such as `-c fsync=off`
# RAPPORT_TLS_CERTIFICATE and RAPPORT_TLS_KEY in the environment, as PEM, are what it speaks TLS with, if they are there
set -eu
# A container's own limit is often 64 MiB, which one server with a few databases would fill.
ROOM_KIB=1048576
exec 2>&1
bin=$1 template=$2 place=$3
shift 3
cd /

# PostgreSQL refuses to run as root. setpriv becomes the program that it starts, so a signal to it reaches that.
as=
if [ "$(id -u)" = 0 ]; then
  as='setpriv --reuid=postgres --regid=postgres --init-groups'
fi

folder= unfinished= server=
finish() {
  if [ -n "$server" ]; then
    # The immediate shutdown: no checkpoint of what is thrown away.
    kill -s QUIT "$server" 2>/dev/null || :
    wait "$server" || :
  fi
  rm -rf ${folder:+"$folder"} ${unfinished:+"$unfinished"}
}
trap finish EXIT
# A signal must not end this shell before it has cleaned up. A handler, unlike `ignore`, is not handed on to the server.
trap : HUP INT TERM PIPE

# A cluster is a thousand files. ext4 does not give the inodes of files just deleted to new ones and searches ever longer
# past them, so that a start would take three times as long as on tmpfs when servers come and go.
parent=${TMPDIR:-/tmp}
if [ "$place" = memory ] && [ -z "${TMPDIR:-}" ] && [ -w /dev/shm ]; then
  free=$(df -kP /dev/shm | awk 'NR == 2 { print $4 }')
  if [ "$free" -ge "$ROOM_KIB" ]; then parent=/dev/shm; fi
fi
folder=$(mktemp -d "$parent/rapport-postgres.XXXXXX")
if [ -n "$as" ]; then
  chown postgres: "$folder"
fi

if [ -d "$template" ]; then
  cp -a "$template" "$folder/data"
else
  $as "$bin/initdb" -D "$folder/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 --no-sync \
    </dev/null >"$folder/log" || { cat "$folder/log"; exit 1; }
  # Whole or not at all: other processes may be making or copying it at this moment. The first to rename has made it.
  unfinished=$(mktemp -d "$template.XXXXXX")
  cp -a "$folder/data/." "$unfinished"
  mv -T "$unfinished" "$template" 2>/dev/null || [ -d "$template" ]
fi

# With a certificate and its key in the environment it speaks TLS.
if [ -n "${RAPPORT_TLS_KEY:-}" ]; then
  printf '%s' "$RAPPORT_TLS_CERTIFICATE" >"$folder/server.crt"
  (umask 077 && printf '%s' "$RAPPORT_TLS_KEY" >"$folder/server.key")
  if [ -n "$as" ]; then
    chown postgres: "$folder/server.key"
  fi
  set -- "$@" -c ssl=on -c "ssl_cert_file=$folder/server.crt" -c "ssl_key_file=$folder/server.key"
fi

$as "$bin/postgres" -D "$folder/data" -p 5432 -c listen_addresses= -k "$folder" "$@" </dev/null >"$folder/log" 2>&1 &
server=$!
until "$bin/pg_isready" -q -h "$folder" -p 5432 -U postgres -d postgres; do
  kill -s 0 "$server" 2>/dev/null || { cat "$folder/log"; exit 1; }
  sleep 0.02
done

echo "ready $folder"
exec >/dev/null 2>&1
read -r _ || :
