package interop_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// express starts a Node process with express-rate-limit, and returns its address.
func express(t *testing.T, window time.Duration) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "server.js"} {
		text, err := os.ReadFile(filepath.Join("express", name))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), text, 0o600))
	}
	run := func(name string, args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), name, args...)
		c.Dir = dir
		return c
	}
	npm := run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	said, err := npm.CombinedOutput()
	require.NoError(t, err, "install Node and npm, as .ci/node does; npm said: %s", said)

	ctx, stop := context.WithCancel(context.Background())
	node := exec.CommandContext(ctx, "node", "server.js")
	node.Dir, node.Stderr = dir, os.Stderr
	node.Env = append(os.Environ(), fmt.Sprint("WINDOW=", window.Milliseconds()))
	in, err := node.StdinPipe()
	require.NoError(t, err)
	out, err := node.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, node.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = node.Wait()
		stop()
	})
	port, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return "http://127.0.0.1:" + strings.TrimSpace(port)
}

// Parse reads the three generations of the draft that express-rate-limit prints, and
// our transport waits what each says: it is not refused, because it is told what is
// left, and who knew nothing is refused once.
//
// What express-rate-limit 8.7.5 gets wrong:
//
//   - Its window is fixed and begins with a client's first request: twice the limit
//     can pass within less than a window. Nothing that it prints says so.
//   - Under draft-8 pk stands in RateLimit-Policy and not in RateLimit, so that where
//     two clients share an answer's way nothing says whose rest is told. It is base64
//     of hexadecimal digits, which are twice as long as the hash.
//   - A refusal is text/html without a code, so that only its status tells it from
//     any other.
//   - X-RateLimit-Reset is rounded up and stands beside a Date that is rounded down:
//     who waits for it waits up to 2 s too long.
func TestExpress(t *testing.T) {
	t.Parallel()
	const window = 3 * time.Second
	address := express(t, window)
	for path, name := range map[string]string{"/draft-6": "", "/draft-7": "", "/draft-8": "2-in-3sec", "/legacy": ""} {
		t.Run("what is left"+path, func(t *testing.T) {
			t.Parallel()
			const limit = 2
			sent := &log{}
			client := &http.Client{Transport: transport(t, sent)}
			for i := range 2*limit + 1 {
				answer, text := get(t, client, address+"/2"+path)
				a := headers.Parse(answer, text, time.Now(), nil)
				require.Empty(t, a.Notes)
				require.EqualValues(t, limit-1-i%limit, a.Remaining)
				require.Equal(t, name, a.Name)
				require.NotZero(t, a.ResetKind)
				require.LessOrEqual(t, a.Reset, window+2*time.Second)
				if path == "/legacy" {
					continue
				}
				require.Len(t, a.Quotas, 1)
				require.EqualValues(t, limit, a.Quotas[0].Limit)
				require.Equal(t, window, a.Quotas[0].Window)
				require.Equal(t, path == "/draft-8", a.Quotas[0].Partition != nil)
			}
			require.Equal(t, []int{200, 200, 200, 200, 200}, sent.statuses())
			for i, pause := range sent.pauses() {
				require.Equal(t, (i+1)%limit == 0, pause > window-time.Second, "%v after request %d", pause, i)
			}
		})
		t.Run("a refusal"+path, func(t *testing.T) {
			t.Parallel()
			get(t, http.DefaultClient, address+"/1"+path)
			sent := &log{}
			get(t, &http.Client{Transport: transport(t, sent)}, address+"/1"+path)
			require.Equal(t, []int{429, 200}, sent.statuses())
			seconds, err := strconv.Atoi(sent.visits[0].retry)
			require.NoError(t, err)
			require.GreaterOrEqual(t, sent.pauses()[0], time.Duration(seconds)*time.Second)
		})
	}
}
