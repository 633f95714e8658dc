#pragma once
/* What the group `aws` of the configuration leaves open, from the environment and then the profile, as every AWS tool
 * reads them: endpoints, FIPS and dual stack, certificates, retries. */

#include "core/aws/credentials.h"
#include "core/conf/conf.h"

/* Fills c->aws in, and checks what of it depends on each other. -EINVAL: what was found cannot be used; *ret_problem
 * says so for people. -ENOMEM. */
int aws_defaults_fill(Conf *c, char **ret_problem);
/* What stands in for credentials where nothing is signed: aws.unsigned. */
int aws_defaults_no_credentials(Credentials **ret);
