package headers_test

import (
	"fmt"
	"net/http"
	"net/netip"

	"github.com/wapace/wapace/headers"
)

func ExamplePeerAddress() {
	key, err := headers.PeerAddress(&http.Request{RemoteAddr: "[2001:db8::1]:4444"})
	fmt.Println(key, err)
	_, err = headers.PeerAddress(&http.Request{RemoteAddr: "@"})
	fmt.Println(err)
	// Output:
	// 2001:db8::/64 <nil>
	// headers: no key: remote address "@": serve TCP, or make keys of something else
}

func ExampleTrustedProxies() {
	key, err := headers.TrustedProxies(netip.MustParsePrefix("10.0.0.0/8"))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &http.Request{RemoteAddr: "10.0.0.1:4444", Header: http.Header{}}
	r.Header.Set("X-Forwarded-For", "192.0.2.99, 198.51.100.7, 10.0.0.9") // the first is the client's own claim
	fmt.Println(key(r))
	r.RemoteAddr = "203.0.113.5:4444"
	fmt.Println(key(r))
	// Output:
	// 198.51.100.7 <nil>
	// 203.0.113.5 <nil>
}

func ExampleAPIKey() {
	key, err := headers.APIKey("Authorization", []byte("a secret of the service"))
	if err != nil {
		fmt.Println(err)
		return
	}
	r := &http.Request{Header: http.Header{}}
	r.Header.Set("Authorization", "Bearer wapi_12345678")
	account, err := key(r)
	fmt.Println(len(account), err)
	_, err = key(&http.Request{})
	fmt.Println(err)
	// Output:
	// 32 <nil>
	// headers: no key: Authorization in 0 lines: send it once
}
