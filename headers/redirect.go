package headers

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// A redirectWriter takes the RateLimit field off a redirect: where it says that
// nothing is left, a client would wait before it follows.
type redirectWriter struct {
	http.ResponseWriter
	wrote bool
}

// WriteHeader sends the header.
func (w *redirectWriter) WriteHeader(status int) {
	if !w.wrote && status >= 200 {
		w.wrote = true
		if redirects(status) && status != http.StatusNotModified {
			w.Header().Del("RateLimit")
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write writes a part of the body.
func (w *redirectWriter) Write(b []byte) (int, error) {
	w.wrote = true
	return w.ResponseWriter.Write(b)
}

// ReadFrom writes what it reads, as fast as the writer beneath can.
func (w *redirectWriter) ReadFrom(r io.Reader) (int64, error) {
	w.wrote = true
	return io.Copy(w.ResponseWriter, r)
}

// Flush sends what was written, where the writer beneath can.
func (w *redirectWriter) Flush() { _ = w.FlushError() }

// FlushError is Flush for [http.ResponseController], which says what went wrong.
func (w *redirectWriter) FlushError() error {
	w.wrote = true
	return http.NewResponseController(w.ResponseWriter).Flush()
}

// Hijack takes over the connection, where the writer beneath can.
func (w *redirectWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap is the writer beneath, for [http.ResponseController].
func (w *redirectWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
