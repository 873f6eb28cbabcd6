// Ordinary work, as scripts for bash. Each runs in a folder of its own of one copy-on-write view, and prints what is expected.

export interface Task {
  readonly name: string;
  /** Programs it needs; where one is missing the task is skipped, by name. */
  readonly needs: readonly string[];
  /** What the user's own folder holds by then: made outside, so that the script meets it through the view. */
  readonly before?: string;
  readonly script: string;
  /** What it prints at the end. */
  readonly prints: RegExp;
}

const c = `cat > a.c <<'END'
#include <stdio.h>
#include <pthread.h>
static void *run(void *x) { puts("thread"); return x; }
int main(void) { pthread_t t; pthread_create(&t, 0, run, 0); pthread_join(t, 0); return 0; }
END`;

export const tasks: readonly Task[] = [
  {
    name: 'run a node program',
    needs: ['node'],
    script: `node -e 'console.log([1,2].map(x => x * 2).join())'`,
    prints: /^2,4$/m,
  },
  {
    name: "run node's own tests",
    needs: ['node'],
    script: `echo "require('node:test')('adds', () => {})" > a.test.js; node --test`,
    prints: /pass 1/,
  },
  {
    name: 'start node workers and child processes',
    needs: ['node'],
    script: `node -e 'const w = require("worker_threads"); new w.Worker("require(\\"worker_threads\\").parentPort.postMessage(require(\\"child_process\\").execSync(\\"echo from a child\\").toString())", { eval: true }).on("message", m => console.log(m))'`,
    prints: /from a child/,
  },
  {
    name: 'make a package and run its scripts with npm',
    needs: ['npm'],
    script: `npm init -y >/dev/null; npm pkg set scripts.hello='echo said hello'; npm run --silent hello; npm ls`,
    prints: /said hello/,
  },
  {
    name: 'install a local package with npm',
    needs: ['npm'],
    script: `mkdir -p dep app; (cd dep; npm init -y; echo 'module.exports = "installed"' > index.js) >/dev/null; cd app; npm init -y >/dev/null; npm install --no-audit --no-fund ../dep >/dev/null; node -p 'require("dep")'`,
    prints: /^installed$/m,
  },
  {
    name: 'run a python program',
    needs: ['python3'],
    script: `python3 -c 'import json, ssl, sqlite3; print(json.dumps({"ok": True}))'`,
    prints: /"ok": true/,
  },
  {
    name: "run python's own tests",
    needs: ['python3'],
    script: `printf 'import unittest\\nclass T(unittest.TestCase):\\n  def test_a(self): pass\\n' > test_a.py; python3 -m unittest 2>&1`,
    prints: /^OK$/m,
  },
  {
    name: 'make a virtual environment and use its pip',
    needs: ['/usr/bin/python3'],
    script: `python3 -m venv env; env/bin/python -m pip --version; env/bin/python -c 'import sys; print(sys.prefix)'`,
    prints: /\/env$/m,
  },
  {
    name: 'use several processes in python',
    needs: ['python3'],
    script: `python3 -c 'import multiprocessing as m
with m.get_context("fork").Pool(2) as p: print(sum(p.map(abs, [-1, -2])))'`,
    prints: /^3$/m,
  },
  {
    name: 'use shared memory in python',
    needs: ['python3'],
    script: `python3 -c 'from multiprocessing import shared_memory as s
m = s.SharedMemory(create=True, size=8); m.buf[0] = 7; print(m.buf[0]); m.close(); m.unlink()'`,
    prints: /^7$/m,
  },
  {
    name: 'commit, branch, merge and tag with git',
    needs: ['git'],
    script: `git init -q -b main; echo a > a; git add .; git commit -qm one; git checkout -qb side; echo b > b; git add b; git commit -qm two; git checkout -q main; git merge -q side; git tag v1; git log --format=%s; git describe --tags`,
    prints: /two\none\nv1/,
  },
  {
    name: 'stash, rebase and reset with git',
    needs: ['git'],
    script: `git init -q -b main; echo a > a; git add .; git commit -qm one; echo b > a; git stash -q; git checkout -qb x; echo c > c; git add c; git commit -qm c; git rebase -q main; git reset -q --hard HEAD~1; git stash pop -q; cat a`,
    prints: /^b$/m,
  },
  {
    name: 'make a worktree with git',
    needs: ['git'],
    script: `git init -q -b main; echo a > a; git add .; git commit -qm one; git worktree add -q ../tree-$$; git -C ../tree-$$ log --format=%s; git worktree list | wc -l`,
    prints: /one\n2/,
  },
  {
    name: 'clone a repository and push to it',
    needs: ['git'],
    script: `git init -q --bare r.git; git clone -q r.git w 2>/dev/null; cd w; echo a > a; git add .; git commit -qm one; git push -q origin HEAD; git -C ../r.git log --format=%s`,
    prints: /^one$/m,
  },
  {
    name: 'add everything with git, without what is hidden',
    needs: ['git'],
    script: `git init -q -b main; echo a > a; echo S=1 > .env.example; git add .; git commit -qm one; git ls-files`,
    prints: /^\.env\.example\na$/m,
  },
  {
    name: 'compile and run C with threads',
    needs: ['gcc'],
    script: `${c}\ngcc -pthread a.c -o a && ./a`,
    prints: /^thread$/m,
  },
  {
    name: 'compile and run C++',
    needs: ['g++'],
    script: `echo '#include <iostream>
int main() { std::cout << "plus plus\\n"; }' > a.cpp; g++ a.cpp -o a && ./a`,
    prints: /plus plus/,
  },
  {
    name: 'build with make, in parallel',
    needs: ['make', 'gcc'],
    script: `${c}\nprintf 'all: a b\\na: a.c\\n\\tgcc -pthread $< -o $@\\nb: a.c\\n\\tgcc -pthread $< -o $@\\n' > Makefile; make -j4 >/dev/null && ./b`,
    prints: /^thread$/m,
  },
  {
    name: 'configure and build with cmake',
    needs: ['cmake', 'gcc'],
    script: `${c}\nprintf 'cmake_minimum_required(VERSION 3.10)\\nproject(a C)\\nfind_package(Threads)\\nadd_executable(a a.c)\\ntarget_link_libraries(a Threads::Threads)\\n' > CMakeLists.txt; cmake -S . -B out >/dev/null && cmake --build out >/dev/null && out/a`,
    prints: /^thread$/m,
  },
  {
    name: 'build and test with cargo',
    needs: ['cargo'],
    script: `cargo init --quiet --lib --name demo . 2>/dev/null; cargo test --quiet --offline 2>&1`,
    prints: /1 passed/,
  },
  {
    name: 'compile and run Java',
    needs: ['javac'],
    script: `echo 'class A { public static void main(String[] a) { System.out.println("from java"); } }' > A.java; javac A.java && java -cp . A`,
    prints: /from java/,
  },
  {
    name: 'query a database with sqlite',
    needs: ['sqlite3'],
    script: `sqlite3 a.db 'create table t(x); insert into t values (41); update t set x = x + 1; select x from t;'`,
    prints: /^42$/m,
  },
  {
    name: 'write a database ahead with sqlite',
    needs: ['sqlite3'],
    script: `sqlite3 a.db 'pragma journal_mode=wal; create table t(x); insert into t values (1);'; sqlite3 a.db 'select count(*) from t'`,
    prints: /^1$/m,
  },
  {
    name: 'run a perl program',
    needs: ['perl'],
    script: `perl -MFile::Temp -e 'print "perl ", (File::Temp->new ? "ok" : "no"), "\\n"'`,
    prints: /perl ok/,
  },
  {
    name: 'serve HTTP on loopback and fetch it',
    needs: ['/usr/bin/python3', 'curl'],
    script: `echo page > index.html; /usr/bin/python3 -m http.server 8181 --bind 127.0.0.1 >/dev/null 2>&1 & for i in $(seq 100); do curl -sf http://127.0.0.1:8181/ && break; sleep 0.1; done`,
    prints: /^page$/m,
  },
  {
    name: 'serve and fetch by the name localhost',
    needs: ['node'],
    script: `node -e 'const s = require("http").createServer((q, r) => r.end("by name")).listen(0, "localhost", async () => { console.log(await (await fetch("http://localhost:" + s.address().port)).text()); s.close(); })'`,
    prints: /by name/,
  },
  {
    name: 'talk over a Unix socket',
    needs: ['/usr/bin/python3'],
    script: `/usr/bin/python3 -c 'import socket, threading
s = socket.socket(socket.AF_UNIX); s.bind("x.sock"); s.listen()
threading.Thread(target=lambda: s.accept()[0].sendall(b"unix")).start()
c = socket.socket(socket.AF_UNIX); c.connect("x.sock"); print(c.recv(9).decode())'`,
    prints: /^unix$/m,
  },
  {
    name: 'open a pseudo-terminal',
    needs: ['script'],
    script: `script -qec 'tty; test -t 0 && echo a terminal' /dev/null`,
    prints: /\/dev\/pts\/\d+\s+a terminal/,
  },
  {
    name: 'open a pseudo-terminal in python',
    needs: ['/usr/bin/python3'],
    script: `/usr/bin/python3 -c 'import pty; pty.spawn(["echo", "through a pty"])'`,
    prints: /through a pty/,
  },
  {
    name: 'read and write JSON with jq',
    needs: ['jq'],
    script: `echo '{"a":[1,2]}' | jq -c '.a|add'`,
    prints: /^3$/m,
  },
  {
    name: 'pack and unpack archives',
    needs: ['tar', 'gzip'],
    script: `mkdir d; echo x > d/x; tar czf d.tgz d; rm -r d; tar xzf d.tgz; cat d/x`,
    prints: /^x$/m,
  },
  {
    name: 'find, grep, sort and sed',
    needs: [],
    script: `mkdir -p a/b; echo needle > a/b/f; find . -name f | xargs grep -l needle | sed 's/f$/F/' | sort`,
    prints: /^\.\/a\/b\/F$/m,
  },
  {
    name: 'trap and send signals',
    needs: [],
    script: `sleep 30 & p=$!; kill -TERM $p; wait $p; echo $?`,
    prints: /^143$/m,
  },
  {
    name: 'control jobs in the background',
    needs: [],
    script: `(sleep 0.2; echo late) & echo early; wait`,
    prints: /early\nlate/,
  },
  {
    name: 'substitute processes',
    needs: [],
    script: `diff <(echo a) <(echo a) && paste -d: <(echo 1) <(echo 2)`,
    prints: /^1:2$/m,
  },
  { name: 'lock files', needs: ['flock'], script: `flock lock -c 'echo locked'`, prints: /^locked$/m },
  {
    name: 'change modes and make links',
    needs: [],
    script: `echo x > a; chmod 640 a; ln a b; ln -s a c; stat -c %a a; cat b c; stat -c %h a`,
    prints: /640\nx\nx\n2/,
  },
  {
    name: 'rename and remove folders',
    needs: [],
    script: `mkdir -p a/b; mv a c; rmdir c/b c; ls | wc -l`,
    prints: /^0$/m,
  },
  {
    name: 'watch files',
    needs: ['node'],
    script: `node -e 'const fs = require("fs"); const w = fs.watch(".", (e, f) => { console.log("saw", f); w.close(); }); setTimeout(() => fs.writeFileSync("f", ""), 100)'`,
    prints: /saw f/,
  },
  {
    name: 'keep time, locale and random numbers',
    needs: [],
    script: `date +%Y; LC_ALL=C.UTF-8 printf 'größe' | wc -m; head -c 4 /dev/urandom | wc -c`,
    prints: /20\d\d\n\s*5\n\s*4/,
  },
  {
    name: 'use its home and its temporary folder',
    needs: [],
    script: `echo x > ~/f; f=$(mktemp); echo y > $f; cat ~/f $f`,
    prints: /x\ny/,
  },
  {
    name: 'know who it is',
    needs: [],
    script: `id -un >/dev/null && echo "~ is $HOME" && getent passwd $(id -u) | cut -d: -f6`,
    prints: /~ is (\S+)\n\1$/m,
  },
  {
    name: 'read a manual page and page it',
    needs: ['less'],
    script: `seq 100 > f; PAGER=cat less f | tail -1`,
    prints: /^100$/m,
  },
  {
    name: 'debug a crash by its status',
    needs: ['gcc'],
    script: `echo 'int main(void) { *(volatile int *)0 = 1; }' > a.c; gcc a.c -o a; (./a) 2>/dev/null; echo $?`,
    prints: /^139$/m,
  },
  { name: 'make a named pipe', needs: [], script: `mkfifo p; (echo through > p) & cat p`, prints: /through/ },
  {
    name: 'list processes of its own',
    needs: ['ps'],
    script: `ps -eo comm= | sort -u | head -3; test $(ps -e | wc -l) -lt 12 && echo few`,
    prints: /few/,
  },
  {
    name: 'look at the processors',
    needs: ['lscpu'],
    script: `lscpu | grep '^CPU(s)'; [ "$(nproc)" -le "$(getconf _NPROCESSORS_CONF)" ] && echo counted`,
    prints: /^CPU\(s\): +\d+\ncounted$/m,
  },
  {
    name: 'ask which package a program is from',
    needs: ['dpkg'],
    script: `dpkg -S "$(command -v bash)" /bin/bash 2>/dev/null | head -1; dpkg -l bash | tail -1 | cut -c1-8`,
    prints: /^ii {2}bash$/m,
  },
  {
    name: 'leave something running in screen',
    needs: ['screen'],
    script: `screen -dmS work sh -c 'echo done in screen > out'; until [ -s out ]; do sleep 0.1; done; cat out`,
    prints: /^done in screen$/m,
  },
  {
    name: 'let git forget a folder of a repository that was there before',
    needs: ['git'],
    before: `git init -q; mkdir a b; touch a/f b/f; git add .; git -c user.name=A -c user.email=a@b.c commit -qm one`,
    script: `git sparse-checkout set a && ls; git status --short`,
    prints: /^a\n$/,
  },
  {
    name: 'work in a repository that was there before',
    needs: ['git'],
    before: `git init -q -b main; git config user.name A; git config user.email a@b.c; for i in 1 2 3 4; do echo $i > f$i; git add .; git commit -qm c$i; done; git checkout -qb side; echo x > f1; git commit -qam x; git checkout -q main; echo y > f1; git commit -qam y`,
    script: `GIT_SEQUENCE_EDITOR="sed -i 2s/pick/fixup/" git rebase -q -i HEAD~3; echo z > f2; git stash -q; git stash pop -q; git checkout -q -- f2
git merge side >/dev/null || { echo both > f1; git commit -qam merged; }; git worktree add -q ../tree-of-before side; cat ../tree-of-before/f1; git gc -q; git fsck --no-dangling; git log --format=%s | head -1; git status --short | wc -l`,
    prints: /^x\nmerged\n0$/m,
  },
  {
    name: 'change, move and replace files and folders that were there before',
    needs: [],
    before: `mkdir -p kept/deep gone; echo one > kept/deep/f; echo two > gone/f; echo three > plain; chmod 640 plain; ln -s plain link`,
    script: `sed -i s/one/ONE/ kept/deep/f; mv kept moved; cat moved/deep/f; rm -r gone; mkdir gone; ls -A gone; echo more >> link; tail -1 plain; stat -c %a plain; ln plain hard; cmp hard plain && echo the same; echo new > new && mv new plain; cat plain hard`,
    prints: /^ONE\nmore\n640\nthe same\nnew\nthree\nmore\n$/,
  },
  {
    name: 'be told when a file that was there before changes',
    needs: ['node'],
    before: `mkdir watched; echo 1 > watched/f`,
    script: `node -e 'const fs = require("fs"); fs.watch("watched", (event, name) => { console.log("changed", name); process.exit() }); setTimeout(() => fs.writeFileSync("watched/f", "2"), 200)'`,
    prints: /^changed f$/m,
  },
  {
    name: 'install a newer package over one that was there before',
    needs: ['npm'],
    before: `mkdir -p p node_modules/p; echo '{"name":"p","version":"2.0.0"}' > p/package.json; echo '{"name":"p","version":"1.0.0"}' > node_modules/p/package.json; echo '{"name":"q","version":"1.0.0","dependencies":{"p":"1.0.0"}}' > package.json; (cd p && npm pack --silent >/dev/null)`,
    script: `npm install --silent --offline --no-audit --no-fund ./p/p-2.0.0.tgz && node -p 'require("p/package.json").version'`,
    prints: /^2\.0\.0$/m,
  },
];
