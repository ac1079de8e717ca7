# A guest of stages 3 and 4, for shop.sh: an account at Cognito, and signed requests.

# Ask Cognito for something: `cognito ACTION JSON WORDS` prints what these lead to.
cognito() {
    curl -s "$(told aws_endpoint_url)" -H "X-Amz-Target: AWSCognitoIdentity$1" \
        -H 'Content-Type: application/x-amz-json-1.1' -d "$2" | python3 -c '
import json, sys
found = json.load(sys.stdin)
for word in sys.argv[1:]:
    found = found.get(word, {})
print(found)' "${@:3}"
}

# The newest code that came by mail.
code() {
    curl -s "$MAILBOX" -H 'Accept: application/json' | grep -oE '[0-9]{6}\.' | head -1 | tr -d .
}

# Sign up, unless that was done before; then change the account for credentials.
sign_in() {
    CLIENT=$(told user_pool_client_id)
    POOL=cognito-idp.$(told region).amazonaws.com/$(told user_pool_id)
    WHO='"ClientId": "'$CLIENT'", "Username": "ada@example.com"'
    cognito ProviderService.SignUp "{$WHO, \"Password\": \"correct horse battery\"}" > /dev/null
    cognito ProviderService.ConfirmSignUp \
        "{$WHO, \"ConfirmationCode\": \"$(code)\"}" > /dev/null
    TOKEN=$(cognito ProviderService.InitiateAuth '{"ClientId": "'"$CLIENT"'",
        "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": {
        "USERNAME": "ada@example.com", "PASSWORD": "correct horse battery"}}' \
        AuthenticationResult IdToken)
    PROOF='"Logins": {"'$POOL'": "'$TOKEN'"}'
    WHO=$(cognito Service.GetId \
        "{\"IdentityPoolId\": \"$(told identity_pool_id)\", $PROOF}" IdentityId)
    LENT=$(cognito Service.GetCredentialsForIdentity \
        "{\"IdentityId\": \"$WHO\", $PROOF}" Credentials)
    KEY=$(lent AccessKeyId) SECRET=$(lent SecretKey) SESSION=$(lent SessionToken)
}

# A part of the credentials: `lent AccessKeyId`.
lent() {
    python3 -c 'import ast, sys; print(ast.literal_eval(sys.argv[1])[sys.argv[2]])' "$LENT" "$1"
}

# Send something to the API, signed: path, then what curl shall do with it.
api() {
    curl -s "$API$1" --aws-sigv4 "aws:amz:$(told region):execute-api" --user "$KEY:$SECRET" \
        -H "X-Amz-Security-Token: $SESSION" -H 'Content-Type: application/json' \
        "${@:2}" -w '\n%{http_code} after %{time_total} s\n'
}
