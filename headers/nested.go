package headers

func nestedForm(r *refused) any {
	type details struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	return struct {
		Success bool    `json:"success"`
		Error   details `json:"error"`
	}{false, details{"rate_limit_exceeded", r.message("Rate limit exceeded.")}}
}
