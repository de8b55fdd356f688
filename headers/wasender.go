package headers

func wasenderForm(r *refused) any {
	return struct {
		Message    string `json:"message"`
		RetryAfter int64  `json:"retry_after,omitempty"`
	}{r.message("Rate limit exceeded."), r.wait}
}
