"""Users and user groups of a region, made for one test and removed after it."""

PASSWORD = "a-password-of-somebody"
OTHER_PASSWORD = "another-password-of-it"


class UsersMixin:
    """For RegionTestCase."""

    def make_user(self, user_id, access="on ~* +@all", passwords=(PASSWORD,), **more):
        arguments = {"UserId": user_id, "UserName": user_id, "Engine": "redis",
                     "AccessString": access}
        if passwords:
            arguments["Passwords"] = list(passwords)
        else:
            arguments["NoPasswordRequired"] = True
        arguments.update(more)
        answer = self.cache.create_user(**arguments)
        answer.pop("ResponseMetadata")
        self.addCleanup(self.drop_user, user_id)
        return answer

    def make_user_group(self, group_id, users, engine="redis", **more):
        answer = self.cache.create_user_group(UserGroupId=group_id, Engine=engine,
                                              UserIds=list(users), **more)
        answer.pop("ResponseMetadata")
        self.addCleanup(self.drop_user_group, group_id)
        return answer

    def user(self, user_id):
        return self.cache.describe_users(UserId=user_id)["Users"][0]

    def user_group(self, group_id):
        return self.cache.describe_user_groups(UserGroupId=group_id)["UserGroups"][0]

    def drop_user(self, user_id):
        try:
            self.cache.delete_user(UserId=user_id)
        except self.cache.exceptions.UserNotFoundFault:
            pass

    def drop_user_group(self, group_id):
        try:
            self.cache.delete_user_group(UserGroupId=group_id)
        except self.cache.exceptions.UserGroupNotFoundFault:
            pass
