package headers_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/wapace/wapace/headers"
)

func TestPeerAddress(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"203.0.113.5:4444":                "203.0.113.5",
		"203.0.113.5":                     "203.0.113.5",
		"[2001:db8::1]:80":                "2001:db8::/64",
		"[2001:db8:0:0:ffff::2]:80":       "2001:db8::/64",
		"[2001:db8:0:1::1]:80":            "2001:db8:0:1::/64",
		"2001:db8::1":                     "2001:db8::/64",
		"[2001:db8::1]":                   "2001:db8::/64",
		"[::ffff:203.0.113.5]:80":         "203.0.113.5",
		"[fe80::1%eth0]:80":               "fe80::/64",
		"[::1]:80":                        "::/64",
		"":                                "",
		"@":                               "",
		"garbage":                         "",
		"garbage:80":                      "",
		"203.0.113.5:":                    "",
		"203.0.113.5:99999":               "",
		"203.0.113.05:80":                 "",
		"[203.0.113.5]:80":                "",
		"[203.0.113.5]":                   "",
		"0.0.0.0:80":                      "",
		"[::]:80":                         "",
		"[::ffff:0.0.0.0]:80":             "",
		"2001:db8::1:80, 1.2.3.4":         "",
		strings.Repeat("1", 10000) + ":1": "",
	} {
		key, err := headers.PeerAddress(&http.Request{RemoteAddr: remote})
		require.Equal(t, want, key, remote)
		if want == "" {
			require.ErrorIs(t, err, headers.ErrKey, remote)
			var none *headers.KeyError
			require.ErrorAs(t, err, &none)
			require.Equal(t, "remote address", none.Field)
			require.Less(t, len(err.Error()), 250)
			continue
		}
		require.NoError(t, err, remote)
	}
	_, err := headers.PeerAddress(nil)
	require.ErrorIs(t, err, headers.ErrKey)
}

func TestTrustedProxies(t *testing.T) {
	t.Parallel()
	key, err := headers.TrustedProxies(netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("::ffff:192.0.2.0/120"))
	require.NoError(t, err)
	const xff, fwd = "X-Forwarded-For", "Forwarded"
	tests := []struct {
		name   string
		remote string
		header http.Header
		want   string
	}{
		{"a stranger says nothing that counts", "203.0.113.5:1", http.Header{xff: {"1.2.3.4"}, fwd: {"for=1.2.3.4"}}, "203.0.113.5"},
		{"a proxy that says nothing", "10.0.0.1:1", nil, "10.0.0.1"},
		{"a proxy in IPv6's clothes", "[::ffff:10.0.0.1]:1", http.Header{xff: {"1.2.3.4"}}, "1.2.3.4"},
		{"a proxy named in IPv6's clothes", "192.0.2.9:1", http.Header{xff: {"1.2.3.4"}}, "1.2.3.4"},
		{"one hop", "10.0.0.1:1", http.Header{xff: {"1.2.3.4"}}, "1.2.3.4"},
		{"our own hops are passed", "10.0.0.1:1", http.Header{xff: {"9.9.9.9, 1.2.3.4, 10.0.0.9, fd00::2"}}, "1.2.3.4"},
		{"what the client made up", "10.0.0.1:1", http.Header{xff: {"evil, 9.9.9.9 , 1.2.3.4"}}, "1.2.3.4"},
		{"several lines are one list", "10.0.0.1:1", http.Header{xff: {"9.9.9.9", "1.2.3.4, 10.0.0.3", "10.0.0.2"}}, "1.2.3.4"},
		{"empty elements are none", "10.0.0.1:1", http.Header{xff: {"1.2.3.4,, ,10.0.0.2,", ""}}, "1.2.3.4"},
		{"nobody but proxies", "10.0.0.1:1", http.Header{xff: {"10.0.0.3, 10.0.0.2"}}, "10.0.0.3"},
		{"what is no address stops the walk", "10.0.0.1:1", http.Header{xff: {"1.2.3.4, unknown, 10.0.0.2"}}, "10.0.0.2"},
		{"with a port", "10.0.0.1:1", http.Header{xff: {"1.2.3.4:5678"}}, "1.2.3.4"},
		{"IPv6 with a port", "10.0.0.1:1", http.Header{xff: {"[2001:db8::5]:443"}}, "2001:db8::/64"},
		{"IPv6 as it is", "[fd00::1]:1", http.Header{xff: {"2001:db8::5"}}, "2001:db8::/64"},
		{"longer than is read", "10.0.0.1:1", http.Header{xff: {strings.Repeat("1.2.3.4,", headers.MaxField/8+1)}}, "10.0.0.1"},
		{"Forwarded", "10.0.0.1:1", http.Header{fwd: {`for=9.9.9.9, for=1.2.3.4;proto=https;by=10.0.0.7 , FOR = 10.0.0.2`}}, "10.0.0.1"},
		{"Forwarded as it should be", "10.0.0.1:1", http.Header{fwd: {`for=9.9.9.9, for=1.2.3.4;proto=https;by=10.0.0.7 ,FOR=10.0.0.2`}}, "1.2.3.4"},
		{"Forwarded with quotes", "10.0.0.1:1", http.Header{fwd: {`for="[2001:db8::5]:443";host="a,b;for=9.9.9.9"`}}, "2001:db8::/64"},
		{"Forwarded without the quotes it needs", "10.0.0.1:1", http.Header{fwd: {`proto=http;for=[2001:db8::5]:443`}}, "2001:db8::/64"},
		{"Forwarded with an escape", "10.0.0.1:1", http.Header{fwd: {`for="1.2\.3.4"`}}, "1.2.3.4"},
		{"an unknown hop", "10.0.0.1:1", http.Header{fwd: {`for=1.2.3.4, for=unknown`}}, "10.0.0.1"},
		{"a hidden hop", "10.0.0.1:1", http.Header{fwd: {`for=1.2.3.4, for=_secret, for=10.0.0.2`}}, "10.0.0.2"},
		{"a hop that does not say", "10.0.0.1:1", http.Header{fwd: {`for=1.2.3.4, proto=https`}}, "10.0.0.1"},
		{"a hop that says two things", "10.0.0.1:1", http.Header{fwd: {`for=1.2.3.4;for=9.9.9.9`}}, "10.0.0.1"},
		{"an empty for", "10.0.0.1:1", http.Header{fwd: {`for=`}}, "10.0.0.1"},
		{"a quote that does not end", "10.0.0.1:1", http.Header{fwd: {`for="evil, for=1.2.3.4`}}, "10.0.0.1"},
		{"an escape that does not end", "10.0.0.1:1", http.Header{fwd: {`for="evil\`}}, "10.0.0.1"},
		{"a line that is none", "10.0.0.1:1", http.Header{fwd: {`for=1.2.3.4, what`}}, "10.0.0.1"},
		{"text behind a quote", "10.0.0.1:1", http.Header{fwd: {`for="1.2.3.4"x`}}, "10.0.0.1"},
		{"a bad line to the left of a good one", "10.0.0.1:1", http.Header{fwd: {`for="`, `for=1.2.3.4`}}, "1.2.3.4"},
		{"empty elements of Forwarded", "10.0.0.1:1", http.Header{fwd: {` ,for=1.2.3.4;, ;,`}}, "1.2.3.4"},
		{"both that agree", "10.0.0.1:1", http.Header{xff: {"9.9.9.9, 1.2.3.4"}, fwd: {"for=8.8.8.8, for=1.2.3.4"}}, "1.2.3.4"},
		{"both that do not", "10.0.0.1:1", http.Header{xff: {"1.2.3.4"}, fwd: {"for=9.9.9.9"}}, "10.0.0.1"},
		{"garbage for a peer", "garbage", http.Header{xff: {"1.2.3.4"}}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := key(&http.Request{RemoteAddr: test.remote, Header: test.header})
			require.Equal(t, test.want, got)
			require.Equal(t, test.want == "", err != nil)
		})
	}
}

func TestTrustedProxiesRefuses(t *testing.T) {
	t.Parallel()
	for _, proxies := range [][]netip.Prefix{
		nil,
		{{}},
		{netip.MustParsePrefix("10.0.0.0/8"), netip.PrefixFrom(netip.MustParseAddr("10.0.0.0"), 33)},
		{netip.MustParsePrefix("0.0.0.0/0")},
		{netip.MustParsePrefix("::/0")},
		{netip.MustParsePrefix("::ffff:0.0.0.0/96")},
		{netip.MustParsePrefix("::ffff:10.0.0.0/8")},
	} {
		_, err := headers.TrustedProxies(proxies...)
		require.ErrorIs(t, err, headers.ErrOption, "%v", proxies)
	}
}

func TestAPIKey(t *testing.T) {
	t.Parallel()
	key := func(secret []byte, field string, h http.Header) (string, error) {
		of, err := headers.APIKey(field, secret)
		require.NoError(t, err)
		return of(&http.Request{Header: h})
	}
	one, err := key(nil, "X-API-Key", http.Header{"X-Api-Key": {"wapi_1"}})
	require.NoError(t, err)
	require.Regexp(t, "^[0-9a-f]{32}$", one)
	for name, same := range map[string]struct {
		field string
		h     http.Header
	}{
		"white space":   {"x-api-key", http.Header{"X-Api-Key": {" wapi_1\t"}}},
		"bearer":        {"Authorization", http.Header{"Authorization": {"Bearer wapi_1"}}},
		"another case":  {"authorization", http.Header{"Authorization": {"bEARER   wapi_1 "}}},
		"another field": {"X-Other", http.Header{"X-Other": {"wapi_1"}}},
	} {
		got, err := key(nil, same.field, same.h)
		require.NoError(t, err)
		require.Equal(t, one, got, name)
	}
	secret := []byte("secret")
	of, err := headers.APIKey("X-API-Key", secret)
	require.NoError(t, err)
	clear(secret) // the caller may do with it what it likes
	got, err := of(&http.Request{Header: http.Header{"X-Api-Key": {"wapi_1"}}})
	require.NoError(t, err)
	require.NotEqual(t, one, got)
	again, err := key([]byte("secret"), "X-API-Key", http.Header{"X-Api-Key": {"wapi_1"}})
	require.NoError(t, err)
	require.Equal(t, got, again)

	for name, h := range map[string]http.Header{
		"nothing":     nil,
		"empty":       {"X-Api-Key": {""}},
		"blank":       {"X-Api-Key": {" \t "}},
		"twice":       {"X-Api-Key": {"a", "b"}},
		"no line":     {"X-Api-Key": {}},
		"without end": {"X-Api-Key": {strings.Repeat("x", headers.MaxField+1)}},
	} {
		got, err := key(nil, "X-API-Key", h)
		require.ErrorIs(t, err, headers.ErrKey, name)
		require.Empty(t, got, name)
	}
	for _, lines := range []string{"", "Bearer", "Bearer "} {
		_, err := key(nil, "Authorization", http.Header{"Authorization": {lines}})
		require.ErrorIs(t, err, headers.ErrKey, "%q", lines)
	}
	for _, field := range []string{"", "X API", "X-API\r\n", "X-Ä"} {
		_, err := headers.APIKey(field, nil)
		require.ErrorIs(t, err, headers.ErrOption, "%q", field)
	}
}
