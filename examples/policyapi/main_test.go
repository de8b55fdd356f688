package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"reflect"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/wapace/wapace/headers"
	"github.com/wapace/wapace/limiter/registry"
	"github.com/wapace/wapace/policy"
)

// asProgram makes the test's binary the program itself, so that it can be killed.
const asProgram = "POLICYAPI_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
		stop()
		os.Exit(status)
	}
	goleak.VerifyTestMain(m)
}

// A program is a running policyapi.
type program struct {
	testing.TB
	command *exec.Cmd
	client  *http.Client
	address string
	stderr  bytes.Buffer
}

func start(t testing.TB, args ...string) *program {
	t.Helper()
	p := &program{TB: t, client: &http.Client{Transport: &http.Transport{}}}
	p.command = exec.CommandContext(t.Context(), os.Args[0], append([]string{"-addr", "127.0.0.1:0"}, args...)...)
	p.command.Env = append(os.Environ(), asProgram+"=1")
	p.command.Stderr = &p.stderr
	stdout, err := p.command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.command.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err, &p.stderr)
	_, p.address, _ = strings.Cut(strings.TrimSpace(line), "listening on ")
	return p
}

// end waits for the program, which was told to stop.
func (p *program) end() (status int) {
	_ = p.command.Wait() // the status says the same
	p.client.CloseIdleConnections()
	return p.command.ProcessState.ExitCode()
}

func (p *program) request(ctx context.Context, method, id, token, slug string) (*http.Response, error) {
	q := url.Values{"instance_id": {id}, "access_token": {token}}
	if slug != "" {
		q.Set("policy_slug", slug)
	}
	r, err := http.NewRequestWithContext(ctx, method, p.address+"?"+q.Encode(), http.NoBody)
	require.NoError(p, err)
	r.Header.Set("Content-Type", "application/json")
	return p.client.Do(r)
}

// ask asks for the seed's instance and returns status and body.
func (p *program) ask(method, id, token, slug string) (int, []byte) {
	p.Helper()
	response, err := p.request(p.Context(), method, id, token, slug)
	require.NoError(p, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(p, err)
	require.NoError(p, response.Body.Close())
	require.Equal(p, "application/json", response.Header.Get("Content-Type"))
	return response.StatusCode, body
}

func (p *program) current() string {
	p.Helper()
	status, body := p.ask(http.MethodGet, id, token, "")
	require.Equal(p, http.StatusOK, status)
	var a policy.WawpAnswer
	require.NoError(p, json.Unmarshal(body, &a))
	return a.CurrentPolicy
}

// What the seed's request gives.
const id, token = "Your_Instance_ID", "YOUR_ACCESS_TOKEN"

// Wawp documents its answer by an example, which lists one policy of several. Each
// field of it comes back, with its value and nothing beside it in the policy.
func TestWawpsExampleComesBackFieldForField(t *testing.T) {
	t.Parallel()
	p := start(t, "-file", filepath.Join(t.TempDir(), "accounts.json"))
	status, body := p.ask(http.MethodGet, id, token, "standard_policy") // as the seed's fetch does
	require.Equal(t, http.StatusOK, status)
	text, err := os.ReadFile("testdata/answer.json")
	require.NoError(t, err)
	var want, got map[string]any
	require.NoError(t, json.Unmarshal(text, &want))
	require.NoError(t, json.Unmarshal(body, &got))
	policies, ok := got["policies"].(map[string]any)
	require.True(t, ok)
	require.Len(t, policies, 3)
	require.Equal(t, true, reflect.ValueOf(policies["1"]).MapIndex(reflect.ValueOf("available")).Interface())
	delete(policies, "1")
	delete(policies, "2")
	require.Equal(t, want, got)

	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitStopped, p.end())
	require.Empty(t, p.stderr.String())
}

func TestChoicesAndRefusals(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.json")
	p := start(t, "-file", file, "-free", id+"="+token, "-paid", "447700900001=paid-token")
	tests := []struct {
		method, id, token, slug string
		status                  int
		code                    string
	}{
		{"PATCH", id, token, "strict", 200, ""},
		{"PATCH", id, token, "unlimited", 403, "paid_plan_required"},
		{"PATCH", id, token, "gold", 400, "unknown_policy"},
		{"PATCH", id, token, "", 400, "bad_request"},
		{"PATCH", id, "wrong", "standard", 401, "unauthorized"},
		{"GET", "447700900001", token, "", 401, "unauthorized"},
		{"GET", id, "", "", 400, "bad_request"},
		{"PATCH", "447700900001", "paid-token", "unlimited", 200, ""},
		{"PUT", id, token, "strict", 405, "method_not_allowed"},
	}
	for _, tt := range tests {
		status, body := p.ask(tt.method, tt.id, tt.token, tt.slug)
		require.Equal(t, tt.status, status, "%s %s: %s", tt.method, tt.slug, body)
		var answer struct{ Code string }
		require.NoError(t, json.Unmarshal(body, &answer))
		require.Equal(t, tt.code, answer.Code)
	}
	require.NoError(t, p.command.Process.Kill())
	p.end()
	require.Empty(t, p.stderr.String())

	p = start(t, "-file", file)
	require.Equal(t, "strict", p.current(), "after a restart")
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitStopped, p.end())
}

// TestKilledBetweenChanges kills the program, which cannot help it, while it makes
// one change after the other. What it had answered stands; what it was asked last may
// or may not; the file is whole.
func TestKilledBetweenChanges(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.json")
	rng := rand.New(rand.NewPCG(1, 9))
	last := "standard_policy"
	next := func() string {
		if last == "strict" {
			return "standard_policy"
		}
		return "strict"
	}
	kept, lost := 0, 0
	for round := range 24 {
		p := start(t, "-file", file)
		require.Equal(t, last, p.current(), "round %d", round)
		for range rng.IntN(4) {
			status, body := p.ask(http.MethodPatch, id, token, next())
			require.Equal(t, http.StatusOK, status, string(body))
			last = next()
		}
		wrote := make(chan struct{}, 1)
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{WroteRequest: func(httptrace.WroteRequestInfo) { wrote <- struct{}{} }})
		asked := make(chan bool, 1)
		go func() {
			response, err := p.request(ctx, http.MethodPatch, id, token, next())
			if err == nil {
				_ = response.Body.Close() // that there is an answer is enough
			}
			asked <- err == nil && response.StatusCode == http.StatusOK
		}()
		<-wrote
		for range rng.IntN(1 << (round * 5 / 6)) { // from at once to long after the answer
			runtime.Gosched()
		}
		require.NoError(t, p.command.Process.Kill())
		p.end()
		answered := <-asked

		store, err := registry.OpenFile(file)
		require.NoError(t, err, "round %d", round)
		accounts, err := store.Load(t.Context())
		require.NoError(t, err)
		stands := "standard_policy"
		if len(accounts) > 0 && accounts[0].Policy != "" {
			require.Len(t, accounts, 1)
			stands = accounts[0].Policy
		}
		switch {
		case answered:
			require.Equal(t, next(), stands, "round %d: it was answered", round)
			kept++
		case stands == last:
			lost++
		default:
			require.Equal(t, next(), stands)
			kept++
		}
		last = stands
	}
	t.Logf("%d of the last changes were kept, %d were not", kept, lost)
}

func TestFileOfSomethingElse(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "accounts.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"version":1,"accounts":[{"acc`), 0o600))
	var stdout, stderr strings.Builder
	require.Equal(t, exitFailed, run(t.Context(), []string{"-file", file}, &stdout, &stderr))
	require.Contains(t, stderr.String(), "line 1: the file ends too soon")
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Len(t, data, 30)
}

func TestAddressInUse(t *testing.T) {
	t.Parallel()
	p := start(t, "-file", filepath.Join(t.TempDir(), "accounts.json"))
	at, err := url.Parse(p.address)
	require.NoError(t, err)
	var stdout, stderr strings.Builder
	status := run(t.Context(), []string{"-addr", at.Host, "-file", filepath.Join(t.TempDir(), "other.json")}, &stdout, &stderr)
	require.Equal(t, exitFailed, status)
	require.Contains(t, stderr.String(), "address already in use")
	require.NoError(t, p.command.Process.Signal(syscall.SIGTERM))
	require.Equal(t, exitStopped, p.end())
}

func TestUsageErrors(t *testing.T) {
	t.Parallel()
	tests := []struct {
		args []string
		want string
	}{
		{[]string{"-speed"}, "-h lists the flags"},
		{[]string{"447700900001"}, `argument "4477******01"`},
		{[]string{"-file", ""}, `-file ""`},
		{[]string{"-addr", "8080"}, `-addr "8080": write it as 127.0.0.1:8080`},
		{[]string{"-addr", ":8080"}, "use 127.0.0.1, ::1 or localhost"},
		{[]string{"-addr", "0.0.0.0:8080"}, "use 127.0.0.1, ::1 or localhost"},
		{[]string{"-free", "no-secret"}, "write it as ID=TOKEN"},
		{[]string{"-paid", "=secret"}, "write it as ID=TOKEN"},
		{[]string{"-free", "447700900001=secret", "-paid", "447700900001=secret"}, `"4477******01" is given twice`},
	}
	for _, tt := range tests {
		var stdout, stderr strings.Builder
		require.Equal(t, exitUsage, run(t.Context(), tt.args, &stdout, &stderr), tt.args)
		require.Empty(t, stdout.String())
		require.Contains(t, stderr.String(), tt.want)
		require.NotContains(t, stderr.String(), "secret", "a token is shown")
	}
}

func TestHelp(t *testing.T) {
	t.Parallel()
	var stdout, stderr strings.Builder
	require.Equal(t, exitStopped, run(t.Context(), []string{"-h"}, &stdout, &stderr))
	require.Empty(t, stderr.String())
	for _, name := range []string{"addr", "file", "free", "paid"} {
		require.Contains(t, stdout.String(), "  -"+name)
	}
}

func TestTokensBelongToTheirInstances(t *testing.T) {
	t.Parallel()
	s, err := readSettings([]string{"-free", "a=one", "-paid", "b=two=three"}, io.Discard)
	require.NoError(t, err)
	for asked, want := range map[string]bool{"a one": true, "b two=three": true, "a two=three": false, "b one": false, "c one": false, "c ": false, "a ": false} {
		who, secret, _ := strings.Cut(asked, " ")
		caller, err := s.instances.authenticate(t.Context(), secret, who)
		if want {
			require.NoError(t, err)
			require.Equal(t, who, caller.Account)
		} else {
			require.ErrorIs(t, err, headers.ErrUnauthorized, asked)
		}
	}
	require.True(t, s.instances["b"].paid && !s.instances["a"].paid, fmt.Sprint(s.instances))
}
