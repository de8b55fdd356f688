package headers_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

// FuzzTrustedProxies holds that a key is an address or the /64 of one, and that what
// a stranger sends changes nothing.
func FuzzTrustedProxies(f *testing.F) {
	addVectors(f, func(field, line string) { f.Add("10.0.0.1:1", line, "") })
	f.Add("[fd00::1]:80", "", `for="[2001:db8::5]:443";proto=https, for=10.0.0.2`)
	f.Add("203.0.113.5:4444", "1.2.3.4", `for="a\"b", for=1.2.3.4`)
	key, err := headers.TrustedProxies(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, remote, forwardedFor, forwarded string) {
		r := &http.Request{RemoteAddr: remote, Header: http.Header{}}
		peer, peerErr := headers.PeerAddress(r)
		r.Header.Set("X-Forwarded-For", forwardedFor)
		r.Header.Set("Forwarded", forwarded)
		client, err := key(r)
		require.Equal(t, peerErr == nil, err == nil)
		if err != nil {
			require.ErrorIs(t, err, headers.ErrKey)
			require.Empty(t, client)
			return
		}
		if prefix, err := netip.ParsePrefix(client); err == nil {
			require.Equal(t, 64, prefix.Bits())
			require.Equal(t, prefix.Masked(), prefix)
		} else {
			addr, err := netip.ParseAddr(client)
			require.NoError(t, err)
			require.True(t, addr.Is4() && !addr.IsUnspecified(), client)
		}
		if p, err := netip.ParseAddr(peer); err == nil && p.As4()[0] != 10 {
			require.Equal(t, peer, client, "the peer is a stranger")
		}
	})
}
