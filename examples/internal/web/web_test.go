package web_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/wapace/wapace/examples/internal/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// Who has asked before the program was told to stop has an answer.
func TestServeLetsRequestsEnd(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	listener, err := web.Listen(ctx, "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error, 1)
	inside, goOn := make(chan struct{}), make(chan struct{})
	go func() {
		served <- web.Serve(ctx, listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			close(inside)
			<-goOn
			_, _ = io.WriteString(w, "done")
		}))
	}()
	go func() {
		<-inside
		stop()
		close(goOn)
	}()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+listener.Addr().String(), nil)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.Equal(t, "done", string(text))
	require.NoError(t, <-served)
	_, err = client.Do(r) //nolint:bodyclose // there is no answer
	require.Error(t, err, "nobody listens any more")
}

func TestServeTellsThatItCannot(t *testing.T) {
	t.Parallel()
	_, err := web.Listen(t.Context(), "nowhere:http-is-not")
	require.Error(t, err)
	listener, err := web.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	require.Error(t, web.Serve(t.Context(), listener, http.NotFoundHandler()))
}
